// What people change of a grid: widths and order of columns, which are shown, and how dense the rows are.
import { useEffect, useMemo, useRef, useState } from "react";

const PAUSE_MS = 300;
const END = 1e6;

// The browser keeps it if there is a key to keep it under; `given` replaces it when its stamp is new.
export function useLayout(columns, storageKey, given, onLayout) {
  const memory = useRef(new Map());
  const [changes, setChanges] = useState(0);
  const stamp = given?.stamp ?? "";
  const layout = useMemo(() => {
    const kept = memory.current.get(storageKey) ?? read(storageKey);
    return checked(stamp && kept?.stamp !== stamp ? given : kept);
  }, [storageKey, stamp, changes]);
  const store = (change) => {
    const next = { ...layout, ...change, stamp };
    memory.current.set(storageKey, next);
    write(storageKey, next);
    setChanges((before) => before + 1);
  };
  const report = useRef(onLayout);
  useEffect(() => { report.current = onLayout; });
  useEffect(() => { report.current?.(layout); }, [layout]);

  const ordered = useMemo(() => sorted(columns, layout.order), [columns, layout]);
  const visible = useMemo(() => ordered.filter((column) => isShown(column, layout)), [ordered, layout]);
  const move = (from, to) => {
    const keys = ordered.map((column) => column.key).filter((key) => key !== from);
    const after = ordered.findIndex((column) => column.key === from) < ordered.findIndex((column) => column.key === to);
    keys.splice(keys.indexOf(to) + (after ? 1 : 0), 0, from);
    store({ order: keys });
  };
  return { ...useWidths(visible, layout, store), layout, ordered, columns: visible, store, move };
}

// The library measures columns; only widths that a person has set are kept.
function useWidths(visible, layout, store) {
  const signature = JSON.stringify([visible.map((column) => column.key), layout.widths]);
  const [measured, setMeasured] = useState({ of: "", widths: null });
  const pause = useRef(0);
  const set = useRef({});
  const own = useMemo(
    () => new Map(Object.entries(layout.widths).map(([key, width]) => [key, { type: "resized", width }])),
    [layout.widths],
  );
  return {
    widths: measured.of === signature ? measured.widths : own,
    measure: (widths) => setMeasured({ of: signature, widths }),
    resize: (key, width) => {
      set.current[key] = width;
      clearTimeout(pause.current);
      pause.current = setTimeout(() => store({ widths: { ...layout.widths, ...set.current } }), PAUSE_MS);
    },
  };
}

export function isShown(column, { hidden, shown }) {
  if (!column.hideable) return true;
  return !hidden.includes(column.key) && (!column.optional || shown.includes(column.key));
}

// Columns that stay at an edge are there in any order.
function sorted(columns, order) {
  const edge = ({ frozen }) => ({ true: 0, start: 0, end: 2 })[frozen] ?? 1;
  const place = (column) => { const at = order.indexOf(column.key); return at < 0 ? END + columns.indexOf(column) : at; };
  return [...columns].sort((one, other) => edge(one) - edge(other) || place(one) - place(other));
}

// What is stored may be of an older version, or from elsewhere.
function checked(layout) {
  const texts = (given) => (Array.isArray(given) ? given.filter((one) => typeof one === "string") : []);
  const widths = Object.entries(layout?.widths ?? {}).filter(([, width]) => Number.isFinite(width) && width > 0);
  return {
    stamp: String(layout?.stamp ?? ""),
    order: texts(layout?.order),
    hidden: texts(layout?.hidden),
    shown: texts(layout?.shown),
    widths: Object.fromEntries(widths),
    density: layout?.density === "compact" ? "compact" : "",
  };
}

function read(storageKey) {
  try { return JSON.parse((storageKey && localStorage.getItem(storageKey)) || "null"); } catch { return null; }
}

function write(storageKey, layout) {
  try { if (storageKey) localStorage.setItem(storageKey, JSON.stringify(layout)); } catch { /* no storage */ }
}
