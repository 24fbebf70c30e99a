// Sends the chosen and dropped files, one after the other, while any page of the application is open.
import { useEffect, useState, useSyncExternalStore } from "react";
import { useNavigate } from "react-router";
import env from "$/env.json";
import { getBackendURL, getToken } from "$/utils/state";

// Speed is measured over this time; time left is said from then on.
const MEASURED_MS = 3000;
const SHOWN_EVERY_MS = 300;
// A connection that takes nothing for so long is broken, though the browser may wait for minutes.
const STALLED_MS = 30000;
const UNITS = ["bytes", "kB", "MB", "GB"];

// Each has: key, name, state, percent, speed, left, draft, shows, reason. The list is replaced, never changed.
let uploads = [];
const files = new Map();
const listeners = new Set();
let sending = null;
let handler = "";
// Before the server knows the tab, it takes no file from it.
let isKnown = false;

/** React's view of all uploads. */
export const useUploads = () => useSyncExternalStore(subscribe, () => uploads, () => uploads);

/** Takes files wherever they are dropped in the window; shows its children while they are dragged over it. */
export const DropOverlay = ({ receiver, known, disabled, begun, refused, children }) => {
  const [isOver, setOver] = useState(false);
  const navigate = useNavigate();
  useEffect(() => {
    isKnown = known;
    sendNext();
  }, [known]);
  useEffect(() => {
    const draft = takeNote(begun, refused);
    if (draft) navigate(`/imports/${draft}?step=columns`);
  }, [begun, refused]);
  useEffect(() => {
    if (disabled) return undefined;
    const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
    const over = (event) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      setOver(true);
    };
    // It has no related target when the window itself is left.
    const leave = (event) => event.relatedTarget || setOver(false);
    const drop = (event) => {
      setOver(false);
      if (!hasFiles(event)) return;
      event.preventDefault();
      addFiles(droppedFiles(event.dataTransfer), receiver);
    };
    const handlers = Object.entries({ dragover: over, dragleave: leave, drop });
    handlers.forEach(([name, handle]) => window.addEventListener(name, handle));
    return () => handlers.forEach(([name, handle]) => window.removeEventListener(name, handle));
  }, [receiver, disabled]);
  return isOver ? children : null;
};

// Both are by the keys of uploads. Returns the new draft whose page is to be shown.
const takeNote = (begun, refused) => {
  const isNew = (upload) => begun[upload.key] && upload.draft !== begun[upload.key];
  const shown = uploads.find((upload) => isNew(upload) && upload.shows);
  uploads.filter(isNew).forEach(({ key }) => change(key, { draft: begun[key] }));
  uploads.filter(({ key, state }) => refused[key] && state !== "refused").forEach(({ key }) => refuse(key, refused[key]));
  return shown && begun[shown.key];
};

const refuse = (key, reason) => {
  files.delete(key);
  change(key, { state: "refused", reason, speed: "", left: "" });
  if (sending?.key === key) sending.request.abort();
};

// Without folders, which the browser lists like files.
const droppedFiles = (dropped) =>
  Array.from(dropped.items)
    .filter((item) => item.kind === "file" && !item.webkitGetAsEntry?.()?.isDirectory)
    .map((item) => item.getAsFile());

/** Put files into the queue; `draft` is the draft whose file is sent again. `receiver` is the event that takes them. */
export const addFiles = (chosen, receiver, draft = "") => {
  handler = receiver;
  // A person who is at work on another file is not taken away from it.
  const isIdle = !uploads.some(isUnfinished);
  if (draft) uploads = uploads.filter((upload) => upload.draft !== draft);
  const added = Array.from(chosen, (file, index) => {
    const key = crypto.getRandomValues(new Uint32Array(2)).join("-");
    files.set(key, file);
    return { ...fresh, key, name: file.name, draft, shows: isIdle && index === 0 };
  });
  show([...uploads, ...added]);
  sendNext();
};

/** Send a file again from its start, after its upload broke. */
export const sendAgain = (key) => {
  change(key, { ...fresh, shows: false });
  sendNext();
};

/** Take a file out of the queue; what is being sent is cut off. */
export const removeUpload = (key) => {
  if (sending?.key === key) sending.request.abort();
  files.delete(key);
  show(uploads.filter((upload) => upload.key !== key));
};

/** Whether the file was chosen here and has not been sent. */
export const isUnfinished = (upload) => ["waiting", "sending"].includes(upload.state);

const fresh = { state: "waiting", percent: 0, speed: "", left: "", reason: "" };

const subscribe = (listener) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

const show = (changed) => {
  uploads = changed;
  listeners.forEach((listener) => listener());
};

const change = (key, values) =>
  show(uploads.map((upload) => (upload.key === key ? { ...upload, ...values } : upload)));

const sendNext = () => {
  const next = uploads.find((upload) => upload.state === "waiting");
  if (!isKnown || sending || !next) return;
  change(next.key, { state: "sending" });
  const request = new XMLHttpRequest();
  sending = { key: next.key, request, lastMoved: Date.now() };
  request.upload.onprogress = measured(next.key);
  request.onloadend = () => ended(next.key, request.status);
  request.open("POST", getBackendURL(env.UPLOAD));
  request.setRequestHeader("Reflex-Client-Token", getToken());
  request.setRequestHeader("Reflex-Event-Handler", handler);
  request.send(form(next, files.get(next.key)));
};

const form = (upload, file) => {
  const about = { key: upload.key, expected_bytes: file.size, draft_id: upload.draft };
  const body = new FormData();
  body.append("__reflex_event_args", JSON.stringify(about));
  body.append("files", file, file.name);
  return body;
};

const measured = (key) => {
  const began = Date.now();
  let samples = [{ at: began, loaded: 0 }];
  let shown = 0;
  return ({ loaded, total }) => {
    const at = Date.now();
    // Once all is sent, only the server's answer is awaited.
    if (sending?.key === key) sending.lastMoved = loaded < total ? at : Infinity;
    samples = [...samples.filter((sample) => at - sample.at < MEASURED_MS), { at, loaded }];
    if (at - shown < SHOWN_EVERY_MS && loaded < total) return;
    shown = at;
    const speed = ((loaded - samples[0].loaded) / Math.max(1, at - samples[0].at)) * 1000;
    const isSteady = at - began > MEASURED_MS && speed > 0 && loaded < total;
    change(key, {
      percent: Math.floor((loaded / Math.max(1, total)) * 100),
      speed: speed > 0 ? `${inUnits(speed)}/s` : "",
      left: isSteady ? `${duration((total - loaded) / speed)} left` : "",
    });
  };
};

const ended = async (key, status) => {
  sending = null;
  const upload = uploads.find((one) => one.key === key);
  if (status >= 200 && status < 300) {
    files.delete(key);
    change(key, { state: "sent", percent: 100, speed: "", left: "" });
  } else if (upload && upload.state !== "refused") {
    change(key, { state: (await isReadable(files.get(key))) ? "broken" : "changed", speed: "", left: "" });
  }
  sendNext();
};

// A file that was changed or moved since it was chosen cannot be read any more.
const isReadable = async (file) => {
  try {
    await file.slice(0, 1).arrayBuffer();
    return true;
  } catch {
    return false;
  }
};

const inUnits = (count) => {
  const unit = Math.min(UNITS.length - 1, Math.floor(Math.log10(Math.max(1, count)) / 3));
  const value = count / 1000 ** unit;
  return `${value.toFixed(value < 10 && unit ? 1 : 0)} ${UNITS[unit]}`;
};

const duration = (seconds) =>
  seconds < 60 ? `${Math.max(1, Math.round(seconds))} s` : `${Math.round(seconds / 60)} min`;

const breakOff = () => sending?.request.abort();

if (typeof window !== "undefined") {
  // For the server, once a draft was discarded or has become an import.
  window.uploads = {
    forget: (draft) => uploads.filter((one) => one.draft === draft).forEach((one) => removeUpload(one.key)),
  };
  window.addEventListener("beforeunload", (event) => {
    if (uploads.some(isUnfinished)) event.preventDefault();
  });
  window.addEventListener("offline", breakOff);
  setInterval(() => {
    if (sending && sending.lastMoved + STALLED_MS < Date.now()) breakOff();
  }, 1000);
}
