// Keeps what is done while the server is away, and says so; see docs/decisions/0037-lost-connections.md.
// Reflex's own code calls it: ui/connection/plugin.py says where.
import { useEffect, useSyncExternalStore } from "react";
import { flushSync } from "react-dom";

// A connection that is back sooner is not worth a word.
const UNSAID_MS = 1000;
const SAID_MS = 5000;
// The server confirms each event at once. Without that the connection is dead, though the browser may not know.
const CONFIRMED_MS = 8000;
const MAX_NAMED = 3;
const MAX_NAME = 60;
// They are sent anew with each connection, or mean nothing without their dialog.
const UNSAID = /\.(on_load_internal|set_is_hydrated|close\w*|handle_frontend_exception)$/;

const QUIET = { phase: "", waiting: "", blocked: "", undone: "", doubtful: "", closed: "", tooLong: "" };
let shown = QUIET;
const listeners = new Set();
let gesture = null;
let socket = null;
let isOpen = false;
let isReady = false;
// Of the server's state of this tab: it differs after the server was started again.
let knownState = "";
let newState = "";
// What waits for the connection, and what was sent without being confirmed, by id.
let held = [];
const unconfirmed = new Map();
// Who did an event: the control, and its dialog.
const origins = new WeakMap();
let timer;
// How many loads of pages the server has answered.
let loads = 0;
// The title of the form that was open when the connection came back.
let openForm = "";

/** React's view; it also shows and hides the banner, above an open dialog, too. */
export const useConnection = () => {
  const view = useSyncExternalStore(subscribe, () => shown, () => QUIET);
  useEffect(() => {
    document.getElementById("connection")?.togglePopover?.(isWorthSaying(view));
  }, [view]);
  return view;
};

/** Take back the messages that stay. */
export const dismiss = () => show({ undone: "", doubtful: "", closed: "" });

/** Return the events to process now; the others wait, and are given to `release` later. */
export const admit = (events, release) =>
  events.filter((event) => {
    if (isReady || !event.name?.startsWith("reflex___state")) return true;
    hold({ event, release, origin: gesture });
    return false;
  });

/** Send an event, and again on the next connection if it is not confirmed; the server takes it once. */
export const send = (on, data, event, most) => {
  const id = crypto.getRandomValues(new Uint32Array(4)).join("-");
  const one = { data: { ...data, sent: id }, event, origin: origins.get(event) ?? gesture };
  // The server would close this connection, and each further one.
  if (JSON.stringify(one.data).length > most) {
    show({ tooLong: named([one]) || "What was typed or pasted" });
    return;
  }
  unconfirmed.set(id, one);
  emit(on, id, one);
};

/** Note that the connection is there: events wait until the server has the page's state again. */
export const connected = (to) => {
  socket = to;
  isOpen = true;
  isReady = false;
  newState = "";
  openForm = titleOf(document.querySelector("dialog[open]:has(form)"));
};

/** Note that the connection is lost, or that another attempt failed. */
export const lost = (reason) => {
  isOpen = isReady = false;
  // The page itself is being left.
  if (reason === "io client disconnect") return;
  if (reason === "failed") sayLost();
  else timer ??= setTimeout(sayLost, UNSAID_MS);
};

/**
 * Take over what the server sends. While it has not told that a dialog is closed which was closed here, each message is
 * drawn on its own: the next one may open the dialog again, and both together would change nothing.
 */
export const draw = (take) => {
  if (document.querySelector("dialog[data-shown]:not([open])")) flushSync(take); else take();
};

/** Note what the server sends: from the first load on, events may go. */
export const updated = (delta) => {
  for (const state in delta) {
    if (state.endsWith("____connection_state")) newState = delta[state].born_rx_state_ || newState;
  }
  if (!delta["reflex___state____state"]?.is_hydrated_rx_state_) return;
  loads += 1;
  if (!isReady) ready();
};

/** Return how many loads of pages the server has answered: what it does at a load is done then. */
export const answeredLoads = () => loads;

const ready = () => {
  clearTimeout(timer);
  timer = undefined;
  isReady = true;
  const survived = !knownState || !newState || newState === knownState;
  knownState = newState || knownState;
  const waiting = held;
  held = [];
  const known = waiting.filter((one) => survived || !isOfLostDialog(one));
  const undone = waiting.filter((one) => !known.includes(one));
  const doubtful = survived ? [] : forgetUnconfirmed();
  if (shown.phase === "lost" || undone.length || doubtful.length) sayBack(undone, doubtful, survived, known);
  unconfirmed.forEach((one, id) => emit(socket, id, one));
  known.forEach(({ event, release, origin }) => {
    if (origin) origins.set(event, origin);
    release([event]);
  });
};

const emit = (on, id, one) => {
  on.emit("event", one.data, () => unconfirmed.delete(id));
  setTimeout(() => {
    if (unconfirmed.has(id) && on.connected) on.io.engine?.close();
  }, CONFIRMED_MS);
};

const hold = (one) => {
  const text = JSON.stringify([one.event.name, one.event.payload]);
  // The next connection begins with the load of the page.
  if (!isOpen && knownState && one.event.name.endsWith(".on_load_internal")) return;
  // Impatient clicks are one.
  if (held.some(({ event }) => JSON.stringify([event.name, event.payload]) === text)) return;
  held.push(one);
  show({ waiting: named(held) });
};

// What a dialog asks for needs what the server knew of it, unless it says all itself.
const isOfLostDialog = ({ origin }) => Boolean(origin?.dialog) && !origin.isWhole;

const forgetUnconfirmed = () => {
  const forgotten = [...unconfirmed.values()];
  unconfirmed.clear();
  return forgotten;
};

const sayLost = () => {
  if (!isReady) show({ phase: "lost", waiting: named(held) });
};

const sayBack = (undone, doubtful, survived, known) => {
  const isSent = known.some(({ origin }) => origin?.name && origin.dialog === openForm);
  const isLost = !survived && openForm && !isSent && !named(undone);
  show({
    phase: shown.phase === "lost" ? "back" : "",
    waiting: named(known),
    blocked: "",
    undone: named(undone),
    doubtful: named(doubtful),
    closed: isLost ? `“${openForm}”` : "",
  });
  setTimeout(() => isReady && show({ phase: "", waiting: "" }), SAID_MS);
};

const named = (list) => {
  const said = list.filter(({ event, origin }) => origin?.name && !UNSAID.test(event.name)).map(inWords);
  const names = [...new Set(said)];
  const more = names.length > MAX_NAMED ? ` and ${names.length - MAX_NAMED} more` : "";
  return names.slice(0, MAX_NAMED).join(", ") + more;
};

const inWords = ({ origin: { name, dialog } }) => (dialog ? `“${name}” of “${dialog}”` : `“${name}”`);

const isWorthSaying = ({ phase, undone, doubtful, closed, tooLong }) =>
  Boolean(phase || undone || doubtful || closed || tooLong);

const subscribe = (listener) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

const show = (changes) => {
  shown = { ...shown, ...changes };
  listeners.forEach((listener) => listener());
};

const titleOf = (dialog) =>
  document.getElementById(dialog?.getAttribute("aria-labelledby") ?? "")?.innerText.replace(/[?.]$/, "") ?? "";

const nameOf = (control) => {
  const given = control.getAttribute("aria-label") || control.labels?.[0]?.innerText || control.innerText || "";
  const line = given.trim().split("\n")[0];
  return line.length > MAX_NAME ? `${line.slice(0, MAX_NAME)}…` : line;
};

const takeGesture = (event) => {
  const control = (event.submitter ?? event.target).closest?.("button, a, select, input, textarea, summary, [role]");
  if (!control) return;
  const dialog = control.closest("dialog");
  // What is typed is checked and filtered as it is typed: that goes without saying.
  const name = control.matches("input:not([type=checkbox], [type=radio]), textarea") ? "" : nameOf(control);
  gesture = { name, dialog: titleOf(dialog), isWhole: Boolean(control.closest("[data-whole]")) };
  // A dialog is above all buttons of the banner: what is done next takes this message back.
  if (shown.tooLong) show({ tooLong: "" });
};

// The code of another page may not be loaded yet: the browser would show its own error.
const stayHere = (event) => {
  const link = event.target.closest?.("a[href]");
  const leaves = link && !link.getAttribute("href").startsWith("#") && !link.target && !event.metaKey && !event.ctrlKey;
  if (shown.phase !== "lost" || !leaves) return;
  event.preventDefault();
  event.stopPropagation();
  show({ blocked: nameOf(link) });
};

if (typeof window !== "undefined") {
  ["click", "change", "submit", "input"].forEach((kind) => document.addEventListener(kind, takeGesture, true));
  document.addEventListener("click", stayHere, true);
  // The browser notices at once that the network is gone, but not that a connection over it is dead.
  window.addEventListener("offline", () => socket?.io.engine?.close());
  window.addEventListener("online", () => socket?.reconnect?.());
}
