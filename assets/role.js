// Runs before the page is drawn: `as-is` parts that the last known role does not see take no room (app.css).
try { document.documentElement.dataset.role = localStorage.getItem("role") ?? ""; } catch { /* no storage */ }
