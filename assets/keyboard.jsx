// Keyboard shortcuts, and the command palette and the list of shortcuts, which are loaded when they are first opened.
import { lazy, Suspense, useEffect, useRef, useSyncExternalStore } from "react";
import { useNavigate } from "react-router";
import { answeredLoads } from "$/public/connection.js";

const Palette = lazy(() => import("$/public/palette.jsx").then((module) => ({ default: module.Palette })));
const Shortcuts = lazy(() => import("$/public/palette.jsx").then((module) => ({ default: module.Shortcuts })));

// The second key of `g p` comes within this time.
const SEQUENCE_MS = 1500;
// A page that was just opened has its button within this time.
const THERE_MS = 15_000;
const OFF = "single-keys-off";
// Keys that are typed there mean something else.
const TAKES_KEYS =
  "input:not([type=checkbox], [type=radio], [type=file]), textarea, select, [contenteditable=true], [role=grid], " +
  "[role=textbox], [role=combobox], [role=listbox], [role=menu]";

let shown = "";
let second = null;
const listeners = new Set();

const subscribe = (listener) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

const show = (what) => {
  shown = what;
  listeners.forEach((listener) => listener());
};

/** Open the command palette. */
export const openPalette = () => show("palette");

/** Whether shortcuts of single keys are switched off: not everybody who presses a key means it. */
export const areSingleKeysOff = () => {
  try {
    return localStorage.getItem(OFF) !== null;
  } catch {
    return false;
  }
};

/** Switch shortcuts of single keys on or off, in this browser. */
export const switchSingleKeys = (isOn) => {
  try {
    if (isOn) localStorage.removeItem(OFF);
    else localStorage.setItem(OFF, "");
  } catch {
    /* no storage */
  }
};

/** Listens to the keyboard, and shows what is open. */
export const Keyboard = ({ commands, may, hits, searched, onSearch, looks }) => {
  const open = useSyncExternalStore(subscribe, () => shown, () => "");
  const navigate = useNavigate();
  const allowed = commands.filter(({ needs }) => !needs || may[needs]);
  const given = useRef();
  given.current = { allowed, navigate };
  useEffect(() => {
    const listen = (event) => pressed(event, given.current);
    document.addEventListener("keydown", listen);
    return () => document.removeEventListener("keydown", listen);
  }, []);
  const close = () => show("");
  const run = (command) => carryOut(command, navigate);
  const shared = { commands: allowed, looks, close };
  return (
    <Suspense fallback={null}>
      {open === "palette" && <Palette {...shared} {...{ run, hits, searched, onSearch }} />}
      {open === "shortcuts" && <Shortcuts {...shared} />}
    </Suspense>
  );
};

const pressed = (event, { allowed, navigate }) => {
  if (event.defaultPrevented || event.isComposing || event.repeat) return;
  const isPalette = (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "k";
  if (isPalette && (shown === "palette" || !isDialogOpen())) {
    event.preventDefault();
    show(shown === "palette" ? "" : "palette");
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || areSingleKeysOff()) return;
  if (isDialogOpen() || event.target.closest?.(TAKES_KEYS)) return;
  single(event, allowed, navigate);
};

const single = (event, allowed, navigate) => {
  const isSecond = second !== null;
  clearTimeout(second);
  second = null;
  if (event.key === "g" && !isSecond) {
    second = setTimeout(() => (second = null), SEQUENCE_MS);
    return;
  }
  const keys = isSecond ? `g ${event.key}` : event.key;
  // What has no group is only listed.
  const command = allowed.find((one) => one.keys === keys && one.group);
  const isDone = keys === "/" ? focusSearch() : keys === "n" ? pressNew() : command && carryOut(command, navigate);
  if (isDone) event.preventDefault();
};

const isDialogOpen = () => document.querySelector("dialog[open], [popover=auto]:popover-open") !== null;

const focusSearch = () => {
  const field = seen("search");
  field?.focus();
  field?.select?.();
  return field;
};

const pressNew = () => {
  const button = seen("new");
  button?.click();
  return button;
};

// A control that is marked as that of a shortcut, and can be used now.
const seen = (shortcut) =>
  [...document.querySelectorAll(`[data-shortcut="${shortcut}"]`)].find(
    (control) => !control.disabled && control.checkVisibility({ visibilityProperty: true }),
  );

const carryOut = (command, navigate) => {
  if (command.opens) {
    show(command.opens);
    return true;
  }
  const isThere = !command.to || isAt(command.to);
  // The load of a page closes its dialogs: what opens one is pressed after it.
  const loads = answeredLoads() + (isThere ? 0 : 1);
  show("");
  if (!isThere) navigate(command.to);
  if (command.press) pressWhenThere(command, loads);
  return true;
};

const isAt = (address) => (location.pathname.replace(/\/+$/, "") || "/") === address;

const pressWhenThere = (command, loads) => {
  const began = Date.now();
  const look = () => {
    const isThere = (!command.to || isAt(command.to)) && answeredLoads() >= loads;
    const control = isThere ? findPressed(command.press) : null;
    if (control) control.click();
    else if (Date.now() - began < THERE_MS) requestAnimationFrame(look);
  };
  // After the palette has given back the focus.
  requestAnimationFrame(look);
};

// What is in a closed menu, such as "Sign out", can be pressed, too.
const findPressed = (shortcut) =>
  seen(shortcut) ?? document.querySelector(`[popover] [data-shortcut="${shortcut}"]:not(:disabled)`);
