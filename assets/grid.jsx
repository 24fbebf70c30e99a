// A grid of DOM rows: react-data-grid with our look, editing by mouse and keyboard, and the paste of several cells.
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { Check, CircleMinus, CircleSlash, Copy, Equal, Pencil, Plus, RefreshCw, TriangleAlert } from "lucide-react";
import { DataGrid, Row } from "react-data-grid";
import "react-data-grid/lib/styles.css";

const LOW = 36;
const HIGH = 54;
const HEAD = 36;
const ICONS = {
  add: Plus, change: RefreshCw, equal: Equal, good: Check, problem: TriangleAlert, copy: Copy, skip: CircleMinus,
  locked: CircleSlash,
};
const TONES = {
  good: "text-good", busy: "text-accent", warning: "text-warning", bad: "text-bad", neutral: "text-muted",
};
const LOOK = {
  "--rdg-color": "var(--ink)",
  "--rdg-background-color": "var(--raised)",
  "--rdg-header-background-color": "var(--sunken)",
  "--rdg-header-draggable-background-color": "var(--accent-soft)",
  "--rdg-row-hover-background-color": "var(--sunken)",
  "--rdg-border-color": "var(--line)",
  "--rdg-selection-color": "var(--accent)",
  "--rdg-font-size": "13px",
  border: "1px solid var(--line)",
  borderRadius: "var(--radius)",
};

export function Grid({
  columns, rows, changed = {}, label, name, readOnly = false, storageKey = "", onEdit, onAction,
}) {
  const grid = useRef(null);
  const shown = useShownRows(rows, changed);
  const layout = useLayout(columns, storageKey);
  const edit = useCallback((edits) => {
    const real = edits.filter(({ row, key, value }) => value !== shown.byId.get(row)?.cells[key]);
    if (!real.length) return;
    shown.expect(real);
    onEdit?.(real.map(({ row, key, value }) => ({ row, column: key, value })));
  }, [shown, onEdit]);
  const drawn = useMemo(
    () => layout.columns.map((column) => drawnColumn(column, readOnly, onAction)),
    [layout.columns, readOnly, onAction],
  );
  useEffect(() => {
    // Other parts of the page send the focus here, to the first cell with a problem.
    const box = document.getElementById(name);
    const focus = () => {
      if (focusProblem(grid.current, shown.rows, layout.columns)) window.gridAsked = null;
    };
    // They may have asked for it before it was there.
    if (window.gridAsked === location.pathname) focus();
    box?.addEventListener("grid:focus", focus);
    return () => box?.removeEventListener("grid:focus", focus);
  }, [name, shown.rows, layout.columns]);

  const isEditable = (key, row) => !readOnly && isOpen(row, key) && layout.columns.find((one) => one.key === key)?.editable;
  const paste = ({ row, column }, event) => {
    event.preventDefault();
    const from = { row: shown.rows.indexOf(row), column: layout.columns.findIndex((one) => one.key === column.key) };
    const cells = pasted(event.clipboardData.getData("text/plain"), from, shown.rows, layout.columns);
    edit(cells.filter(({ key, target }) => isEditable(key, target)));
    return row;
  };
  const copy = ({ row, column }, event) => {
    if (window.getSelection()?.toString()) return;
    event.clipboardData.setData("text/plain", row.cells[column.key] ?? "");
    event.preventDefault();
  };
  const press = ({ mode, row, column }, event) => {
    // Tab leaves the grid: the way through all its cells would be long. While a cell is edited it goes to the next one.
    if (mode === "ACTIVE" && event.key === "Tab") event.preventGridDefault();
    if (mode !== "ACTIVE" || !row || !column || !["Delete", "Backspace"].includes(event.key)) return;
    event.preventGridDefault();
    if (isEditable(column.key, row)) edit([{ row: row.id, key: column.key, value: "" }]);
  };
  const change = (all, { indexes, column }) =>
    edit(indexes.filter((at) => all[at].draft !== undefined)
      .map((at) => ({ row: all[at].id, key: column.key, value: all[at].draft })));
  const height = shown.rows.reduce((sum, row) => sum + rowHeight(row), HEAD + 18);

  return (
    <DataGrid
      ref={grid}
      aria-label={label}
      data-testid={name}
      columns={drawn}
      rows={shown.rows}
      rowKeyGetter={(row) => row.id}
      rowHeight={rowHeight}
      headerRowHeight={HEAD}
      onRowsChange={change}
      onCellPaste={paste}
      onCellCopy={copy}
      onCellKeyDown={press}
      columnWidths={layout.widths}
      onColumnWidthsChange={layout.resize}
      onColumnsReorder={layout.move}
      renderers={RENDERERS}
      style={{ ...LOOK, blockSize: `min(70vh, ${height}px)` }}
    />
  );
}

const RENDERERS = {
  renderRow: (key, props) => (
    <Row key={key} {...props} data-testid="grid-row" data-row={props.row.id} data-state={props.row.state?.name} />
  ),
};

// Rows in their newest form. A cell shows what was typed until the answer changes its row's stamp.
function useShownRows(rows, changed) {
  const [expected, setExpected] = useState({});
  const kept = useRef(new Map());
  const expect = useCallback((edits) => setExpected((before) => {
    const after = { ...before };
    for (const { row, key, value } of edits) {
      const stamp = kept.current.get(row)?.stamp;
      after[row] = { stamp, cells: { ...(after[row]?.stamp === stamp && after[row].cells), [key]: value } };
    }
    return after;
  }), []);
  return useMemo(() => {
    const before = kept.current;
    kept.current = new Map();
    const newest = rows.map((row) => {
      const given = changed[row.id] ?? row;
      const typed = expected[row.id]?.stamp === given.stamp ? expected[row.id].cells : null;
      const now = typed ? { ...given, cells: { ...given.cells, ...typed }, waiting: Object.keys(typed) } : given;
      // A row that stays the same object is not drawn again.
      const text = JSON.stringify(now);
      const same = before.get(row.id);
      const entry = same?.text === text ? same : { text, row: now, stamp: given.stamp };
      kept.current.set(row.id, entry);
      return entry.row;
    });
    return { rows: newest, byId: new Map(newest.map((row) => [row.id, row])), expect };
  }, [rows, changed, expected, expect]);
}

// Widths and order of the columns; the browser keeps them if there is a key to keep them under.
function useLayout(columns, storageKey) {
  const [stored, setStored] = useState(() => read(storageKey));
  // The library measures columns, and keeps that here, too.
  const [widths, setWidths] = useState(() => new Map(stored.widths));
  const store = (change) => { const next = { ...stored, ...change }; setStored(next); write(storageKey, next); };
  const ordered = useMemo(() => {
    const rank = (column) => { const at = stored.order.indexOf(column.key); return at < 0 ? columns.indexOf(column) : at; };
    return [...columns].sort((one, other) => rank(one) - rank(other));
  }, [columns, stored.order]);
  return {
    columns: ordered,
    widths,
    resize: (next) => {
      setWidths(next);
      const resized = [...next].filter(([, width]) => width.type === "resized");
      if (resized.length) store({ widths: resized });
    },
    move: (from, to) => {
      const keys = ordered.map((column) => column.key).filter((key) => key !== from);
      const after = ordered.findIndex((column) => column.key === from) < ordered.findIndex((column) => column.key === to);
      keys.splice(keys.indexOf(to) + (after ? 1 : 0), 0, from);
      store({ order: keys });
    },
  };
}

function read(storageKey) {
  const none = { order: [], widths: [] };
  try { return { ...none, ...JSON.parse((storageKey && localStorage.getItem(storageKey)) || "{}") }; } catch { return none; }
}

function write(storageKey, layout) {
  try { if (storageKey) localStorage.setItem(storageKey, JSON.stringify(layout)); } catch { /* no storage */ }
}

function drawnColumn(column, readOnly, onAction) {
  const draw = { state: StateCell, action: ActionCell }[column.kind] ?? ValueCell;
  return {
    key: column.key,
    name: column.name,
    width: column.width || undefined,
    minWidth: 48,
    frozen: column.frozen,
    resizable: true,
    draggable: Boolean(column.editable),
    editable: (row) => Boolean(column.editable) && !readOnly && isOpen(row, column.key),
    renderCell: (props) => draw({ ...props, onAction, readOnly }),
    renderEditCell: column.editable ? Editor : undefined,
    // Answers to other edits come meanwhile.
    editorOptions: { closeOnExternalRowChange: false },
  };
}

function ValueCell({ row, column: { key } }) {
  const value = row.cells[key] ?? "";
  const problem = row.problems?.[key];
  const before = row.before?.[key];
  const isEdited = row.edited?.includes(key) || row.waiting?.includes(key);
  return (
    <div
      className="flex h-full flex-col justify-center leading-5"
      data-column={key}
      data-problem={problem ? "true" : undefined}
      data-edited={isEdited ? "true" : undefined}
      data-waiting={row.waiting?.includes(key) ? "true" : undefined}
    >
      {before !== undefined && (
        <del className="truncate text-xs text-muted line-through" title={before}>
          <span className="sr-only">was </span>{before || "blank"}
        </del>
      )}
      <span className={`flex items-center gap-1 ${before !== undefined ? "font-medium" : ""}`}>
        {isEdited && <Pencil size={12} aria-hidden="true" className="shrink-0 text-accent" />}
        {isEdited && <span className="sr-only">edited </span>}
        {value
          ? <span className="truncate" title={value}>{before !== undefined && <span className="sr-only">now </span>}{value}</span>
          : <em className="text-muted">{key.startsWith("#") ? "" : "blank"}</em>}
      </span>
      {problem && (
        <span className="flex items-center gap-1 text-xs text-bad" title={problem}>
          <TriangleAlert size={12} aria-hidden="true" className="shrink-0" />
          <span className="truncate">{problem}</span>
        </span>
      )}
    </div>
  );
}

function StateCell({ row }) {
  const { icon, tone, text, note } = row.state;
  const Icon = ICONS[icon] ?? Check;
  return (
    <div className="flex h-full flex-col justify-center leading-5" title={note || text}>
      <span className={`flex items-center gap-1 font-medium ${TONES[tone] ?? TONES.neutral}`}>
        <Icon size={14} aria-hidden="true" className="shrink-0" />
        <span className="truncate">{text}</span>
      </span>
      {note && <span className="truncate text-xs text-muted">{note}</span>}
    </div>
  );
}

function ActionCell({ row, tabIndex, onAction, readOnly }) {
  if (!row.action?.name || readOnly) return null;
  return (
    <button
      type="button"
      tabIndex={tabIndex}
      className="my-1 min-h-6 cursor-pointer rounded border border-line-strong bg-raised px-2 text-xs text-ink hover:bg-sunken"
      aria-label={`${row.action.label}: ${row.name ?? row.id}`}
      onClick={() => onAction?.(row.id, row.action.name)}
      // The grid would take Enter and the space bar for itself.
      onKeyDown={(event) => { if (["Enter", " "].includes(event.key)) event.stopPropagation(); }}
    >
      {row.action.label}
    </button>
  );
}

function Editor({ row, column, onRowChange, onClose }) {
  const focus = useCallback((element) => { element?.focus(); element?.select(); }, []);
  return (
    <textarea
      ref={focus}
      rows={1}
      aria-label={`${column.name}, ${row.name ?? row.id}`}
      className="block h-full w-full resize-none border-0 bg-ground px-2 py-2 text-ink outline-2 -outline-offset-2 outline-accent"
      value={row.draft ?? row.cells[column.key] ?? ""}
      onChange={(event) => onRowChange({ ...row, draft: event.target.value })}
      onBlur={() => onClose(true, false)}
      onKeyDown={(event) => {
        if (event.key !== "Enter") return;
        // Enter takes the value; with Shift or Alt it begins a line.
        if (event.shiftKey || event.altKey) event.stopPropagation(); else event.preventDefault();
      }}
    />
  );
}

function isOpen(row, key) {
  return !row.locked && !row.cut?.includes(key);
}

function rowHeight(row) {
  const isHigh = row.state?.note || Object.keys(row.before ?? {}).length || Object.keys(row.problems ?? {}).length;
  return isHigh ? HIGH : LOW;
}

function focusProblem(handle, rows, columns) {
  if (!handle || !rows.length) return false;
  const rowIdx = Math.max(0, rows.findIndex((row) => Object.keys(row.problems ?? {}).length || row.state?.name === "problem"));
  const wrong = columns.findIndex((column) => column.key in (rows[rowIdx].problems ?? {}));
  const idx = wrong >= 0 ? wrong : Math.max(0, columns.findIndex((column) => column.editable));
  handle.element?.scrollIntoView({ block: "nearest" });
  handle.scrollToCell({ idx, rowIdx });
  handle.setActivePosition({ idx, rowIdx }, { shouldFocus: true });
  return true;
}

// Cells of a text with tabs and lines, as spreadsheets copy it, laid over the grid from a cell on.
function pasted(text, from, rows, columns) {
  return copied(text.replace(/\r\n?/g, "\n").replace(/\n$/, "")).flatMap((values, down) => values.flatMap((value, right) => {
    const target = rows[from.row + down];
    const column = columns[from.column + right];
    return target && column ? [{ row: target.id, key: column.key, value, target }] : [];
  }));
}

// The cells of each line; spreadsheets quote a cell with a line break or a tab in it.
function copied(text) {
  const lines = [[]];
  const cell = /"((?:[^"]|"")*)"(?=[\t\n]|$)|[^\t\n]*/y;
  for (let at = 0; ; at += 1) {
    cell.lastIndex = at;
    const [found, quoted = ""] = cell.exec(text);
    lines.at(-1).push(/[\t\n]/.test(quoted) ? quoted.replaceAll('""', '"') : found);
    at += found.length;
    if (at >= text.length) return lines;
    if (text[at] === "\n") lines.push([]);
  }
}
