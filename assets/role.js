// Runs before the page is drawn: parts that the last known role does not see take no room (ui/access_state.py).
try { document.documentElement.dataset.role = localStorage.getItem("role") ?? ""; } catch { /* no storage */ }
