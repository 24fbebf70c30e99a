// Says that the page's own code cannot be loaded: what is seen would take no click, without a word.
const sayBroken = () => {
  if (document.getElementById("broken")) return;
  const bar = document.createElement("div");
  bar.id = "broken";
  bar.setAttribute("role", "alert");
  bar.style.cssText =
    "position:fixed;inset:0 0 auto;z-index:50;display:flex;flex-wrap:wrap;gap:12px;align-items:center;" +
    "justify-content:center;padding:10px 16px;background:var(--warning-soft);color:var(--warning)";
  const again = document.createElement("button");
  again.textContent = "Load again";
  again.style.cssText = "min-height:28px;padding:0 12px;border:1px solid;border-radius:8px;cursor:pointer";
  again.onclick = () => location.reload();
  bar.append("This page could not be loaded completely, and takes no clicks.", again);
  document.body.append(bar);
};

addEventListener(
  "error",
  ({ target }) => {
    if (!(target instanceof HTMLScriptElement)) return;
    if (document.body) sayBroken();
    else addEventListener("DOMContentLoaded", sayBroken);
  },
  true,
);
