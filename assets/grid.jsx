// A grid of DOM rows: react-data-grid with our look, editing by mouse and keyboard, ranges that are copied and pasted.
import { useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore } from "react";
import { createPortal } from "react-dom";
import { DataGrid, Row } from "react-data-grid";
import "react-data-grid/lib/styles.css";
import { drawnColumn } from "./grid/cells.jsx";
import { asText, pasted, write } from "./grid/clipboard.js";
import { ColumnsMenu } from "./grid/columns_menu.jsx";
import { useFullTexts } from "./grid/full_texts.js";
import { useLayout } from "./grid/layout.js";
import { List } from "./grid/list.jsx";
import { positionOf, useRange } from "./grid/range.js";
import { isOpen, rowHeight, useSelection, useShownRows } from "./grid/rows.js";

const HEAD = 36;
const SCROLLBAR = 18;
// All rows of a shorter page are drawn: what is drawn only when it is scrolled to cannot be searched by the browser.
const SHORT_PAGE = 50;
const WIDE = "(min-width: 45rem)";
const NOT_COPIED = ["select", "buttons", "action"];
const LOOK = {
  "--rdg-color": "var(--ink)",
  "--rdg-background-color": "var(--raised)",
  "--rdg-header-background-color": "var(--sunken)",
  "--rdg-header-draggable-background-color": "var(--accent-soft)",
  "--rdg-row-hover-background-color": "var(--sunken)",
  "--rdg-row-selected-background-color": "var(--accent-soft)",
  "--rdg-row-selected-hover-background-color": "var(--accent-soft)",
  "--rdg-border-color": "var(--line)",
  "--rdg-selection-color": "var(--accent)",
  "--rdg-font-size": "13px",
  border: "1px solid var(--line)",
  borderRadius: "var(--radius-xl)",
};
const NONE = {};

export function Grid(props) {
  const { columns, rows, changed = NONE, label, name, readOnly = false, storageKey = "", narrow } = props;
  const ids = useMemo(() => props.ids ?? NONE, [JSON.stringify(props.ids)]);
  const isWide = useIsWide();
  const shown = useShownRows(rows, changed);
  const layout = useLayout(columns, storageKey, props.layout, props.onLayout);
  const selection = useSelection(props, shown.rows);
  const load = useFullTexts(props.full, props.onLoad);
  const typed = useRef(false);
  const edit = (edits, { beyond = 0, locked = 0 } = NONE) => {
    const real = edits.filter(({ row, key, value }) => isReal(shown.byId.get(row), key, value));
    if (!real.length && !beyond && !locked) return;
    const given = real.map(({ row, key, value, stamp }) => (
      { row, column: key, value, stamp: stamp ?? shown.byId.get(row)?.stamp ?? 0 }
    ));
    const excess = excessOf(given, props);
    if (excess) {
      props.onRefuse?.(excess, "Nothing was changed. Change less at once, or import a file.");
      return;
    }
    shown.expect(real);
    props.onEdit?.(given, beyond, locked);
  };
  // The page gives new functions each time; columns that stay the same are not drawn again.
  const calls = useRef(props);
  useEffect(() => { calls.current = props; });
  const isWhole = Boolean(props.onLayout) && rows.length <= SHORT_PAGE;
  const given = useMemo(() => ({
    readOnly, ids, load, typed, isWhole, isPlain: Boolean(props.onSwitch),
    onAction: (...args) => calls.current.onAction?.(...args),
    onSwitch: (row, key, isOn) => {
      shown.expect([{ row: row.id, key, value: String(isOn) }]);
      calls.current.onSwitch(row.id, isOn);
    },
  }), [readOnly, ids, load, isWhole, Boolean(props.onSwitch), shown.expect]);

  if (!rows.length) return null;
  if (narrow?.length && !isWide) {
    return <List {...{ label, rows: shown.rows, columns, keys: narrow, selection, given }} />;
  }
  const tools = props.tools && document.getElementById(props.tools);
  return (
    <>
      {tools && createPortal(<ColumnsMenu {...{ name, layout, ids }} />, tools)}
      <Table {...{ ...props, label, name, ids, readOnly, shown, layout, selection, load, typed, edit, given }} />
    </>
  );
}

function Table({ label, name, ids, readOnly, shown, layout, selection, load, typed, edit, given, ...props }) {
  const grid = useRef(null);
  const isDragging = useRef(false);
  const [said, setSaid] = useState("");
  const range = useRange(shown.rows, layout.columns);
  const { rows } = shown;
  const { density } = layout.layout;
  const isManaged = Boolean(props.onLayout);
  const look = isManaged ? density || "comfortable" : "";
  const places = useMemo(() => new Map(rows.map((row, at) => [row.id, at])), [rows]);
  const drawn = useMemo(
    () => layout.columns.map((column, at) => drawnColumn(column, at, given, (row, to) => range.contains(places.get(row.id), to))),
    [layout.columns, given, JSON.stringify(range.rectangle), range.rectangle && places],
  );
  useFocusOnProblem(name, grid, rows, layout.columns);
  useEffect(() => {
    if (range.rectangle) setSaid(`${range.rectangle.height} × ${range.rectangle.width} cells selected`); else setSaid("");
  }, [JSON.stringify(range.rectangle)]);

  const isEditable = (column, row) => Boolean(column?.editable) && !readOnly && isOpen(row, column.key, load);
  const clear = () => {
    const cells = cellsIn(range.chosen(), rows, layout.columns).flat();
    edit(cells.filter(({ column, target }) => isEditable(column, target) && column.kind !== "switch"));
  };
  const paste = (event) => {
    const chosen = range.chosen();
    if (isInEditor(event) || !chosen || readOnly) return;
    event.preventDefault();
    const { cells, beyond } = pasted(event.clipboardData.getData("text/plain"), chosen, rows, layout.columns);
    const open = cells.filter(({ column, target }) => isEditable(column, target));
    edit(open, { beyond, locked: cells.length - open.length });
  };
  const copy = (event) => {
    if (isInEditor(event) || !range.chosen()) return;
    const lines = cellsIn(range.chosen(), rows, layout.columns.filter((one) => !NOT_COPIED.includes(one.kind)), layout.columns);
    if (!lines.flat().length) return;
    event.preventDefault();
    const text = (texts) => asText(lines.map((line) => line.map(({ row, key, target }) => texts[row]?.[key] ?? target.cells[key] ?? "")));
    const cut = lines.flat().filter(({ key, target }) => target.cut?.includes(key));
    if (!cut.length || !load) event.clipboardData.setData("text/plain", text({}));
    // Nothing is copied if the whole texts are not there: half of them would look like all.
    else load(cut).then((texts) => { if (cut.every(({ row, key }) => texts[row]?.[key] !== undefined)) write(text(texts)); });
  };
  const press = ({ mode, row }, event) => {
    if (mode !== "ACTIVE") return;
    // Tab leaves the grid: the way through all its cells would be long. While a cell is edited it goes to the next one.
    if (event.key === "Tab") { event.preventGridDefault(); return; }
    const isShortcut = event.ctrlKey || event.metaKey;
    typed.current = event.key.length === 1 && !isShortcut;
    // The editor that it opens would take it as a line break.
    if (event.key === "Enter") event.preventDefault();
    if (event.shiftKey && event.key.startsWith("Arrow")) {
      event.preventGridDefault();
      event.preventDefault();
      const head = range.step(event.key);
      if (head) grid.current.scrollToCell({ rowIdx: head.row, idx: head.column });
      return;
    }
    if (isShortcut && event.key === "z" && props.onUndo && !readOnly) props.onUndo();
    if (event.key === " " && props.onSelect && row) {
      event.preventGridDefault();
      event.preventDefault();
      selection.toggle(row.id);
    } else if (["Delete", "Backspace"].includes(event.key)) {
      event.preventGridDefault();
      clear();
    } else if (event.key !== "Shift" && !isShortcut) range.clear();
  };
  const mouseDown = ({ rowIdx, column }, event) => {
    typed.current = false;
    if (event.shiftKey && column.key !== "#select") {
      event.preventGridDefault();
      event.preventDefault();
      range.to({ row: rowIdx, column: column.idx });
      return;
    }
    isDragging.current = column.key !== "#select" && !event.target.closest("button, a, input, textarea");
    range.clear();
  };
  const drag = (event) => {
    if (!(event.buttons & 1)) isDragging.current = false;
    const head = isDragging.current && positionOf(event.target);
    if (head) range.to(head);
  };
  const change = (all, { indexes, column }) =>
    edit(indexes.filter((at) => all[at].draft !== undefined)
      .map((at) => ({ row: all[at].id, key: column.key, value: all[at].draft, stamp: all[at].began })));
  const height = rows.reduce((sum, row) => sum + rowHeight(row, look), HEAD + SCROLLBAR);

  return (
    <div onPaste={paste} onCopy={copy} onMouseMove={drag} onKeyDownCapture={leaveHead}>
      <DataGrid
        ref={grid}
        aria-label={label}
        data-testid={ids.table ?? name}
        columns={drawn}
        rows={rows}
        rowKeyGetter={(row) => row.id}
        rowHeight={(row) => rowHeight(row, look)}
        headerRowHeight={HEAD}
        enableVirtualization={!given.isWhole}
        className={given.isWhole ? "[scroll-padding-inline-start:var(--stuck)]!" : ""}
        selectedRows={props.onSelect ? selection.ids : undefined}
        onSelectedRowsChange={props.onSelect ? selection.become : undefined}
        sortColumns={sortColumns(props.sort, layout.columns)}
        onSortColumnsChange={(next) => sort(next, props, layout.columns)}
        onRowsChange={change}
        // Pasting is ours; the library would begin to edit the cell.
        onCellPaste={({ row }) => row}
        onCellKeyDown={press}
        onCellMouseDown={mouseDown}
        onCellDoubleClick={() => { typed.current = false; }}
        onActivePositionChange={({ rowIdx, column }) => range.activate(rowIdx, column?.idx ?? -1)}
        columnWidths={layout.widths}
        onColumnWidthsChange={layout.measure}
        onColumnResize={(column, width) => layout.resize(column.key, width)}
        onColumnsReorder={layout.move}
        renderers={{ renderRow: rowRenderer(ids.row ?? "grid-row", isManaged) }}
        style={{ ...LOOK, ...stuckAt(layout), blockSize: isManaged ? `min(max(24rem, 100dvh - 23rem), ${height}px)` : `min(70vh, ${height}px)` }}
      />
      <p role="status" className="sr-only">{said}</p>
    </div>
  );
}

// Where columns at the start begin and end.
function stuckAt({ columns, layout }) {
  const widths = columns.filter(({ frozen }) => frozen === true).map(({ key, width }) => layout.widths[key] ?? width);
  const end = widths.reduce((sum, width) => sum + width, 0);
  return { "--stuck-0": "0px", "--stuck-1": `${widths[0] ?? 0}px`, "--stuck": `${end}px` };
}

const RENDERERS = new Map();

// Rows that are `reused` show those of the next page: making new ones takes twice as long.
function rowRenderer(testid, reused) {
  const name = `${testid} ${reused}`;
  if (!RENDERERS.has(name)) {
    RENDERERS.set(name, (key, props) => (
      <Row
        key={reused ? props.rowIdx : key} {...props}
        data-testid={testid} data-row={props.row.id} data-state={props.row.state?.name}
      />
    ));
  }
  return RENDERERS.get(name);
}

function useIsWide() {
  const follow = useCallback((changed) => {
    const query = window.matchMedia(WIDE);
    query.addEventListener("change", changed);
    return () => query.removeEventListener("change", changed);
  }, []);
  return useSyncExternalStore(follow, () => window.matchMedia(WIDE).matches);
}

// Why edits are too much for one event, or nothing.
function excessOf(edits, { maxEdits = Infinity, maxCharacters }) {
  const number = (count) => count.toLocaleString("en");
  if (edits.length > maxEdits) {
    return `At most ${number(maxEdits)} cells can be changed at once; these are ${number(edits.length)}.`;
  }
  const isLong = JSON.stringify(edits).length > maxCharacters;
  return isLong ? `At most ${number(maxCharacters)} characters can be sent at once; these cells have more.` : "";
}

// A cell that is not here in full may differ from its beginning.
function isReal(row, key, value) {
  return Boolean(row) && (row.cut?.includes(key) || value !== (row.cells[key] ?? ""));
}

// Tab leaves the grid from a heading, too.
function leaveHead(event) {
  if (event.key === "Tab" && event.target.closest("[role=columnheader]")) event.stopPropagation();
}

function isInEditor(event) {
  return Boolean(event.target.closest?.("textarea, input"));
}

// The cells of a rectangle, line by line; those of `columns` only, where positions are among `all`.
function cellsIn(rectangle, rows, columns, all = columns) {
  if (!rectangle) return [];
  const within = all.slice(rectangle.column, rectangle.column + rectangle.width).filter((one) => columns.includes(one));
  if (!within.length) return [];
  return rows.slice(rectangle.row, rectangle.row + rectangle.height)
    .map((target) => within.map((column) => ({ row: target.id, key: column.key, value: "", target, column })));
}

// `sort` is the value of a column's `sort`, with - before it in descending order.
function sortColumns(sort, columns) {
  const sorted = sort && columns.find((column) => column.sort && column.sort === sort.replace("-", ""));
  return sorted ? [{ columnKey: sorted.key, direction: sort.startsWith("-") ? "DESC" : "ASC" }] : [];
}

function sort(next, { sort: before, onSort }, columns) {
  const [chosen] = next.length ? next : sortColumns(before, columns);
  const column = columns.find((one) => one.key === chosen?.columnKey);
  if (column) onSort(column.sort);
}

// Other parts of the page send the focus here, to the first cell with a problem.
function useFocusOnProblem(name, grid, rows, columns) {
  useEffect(() => {
    const box = document.getElementById(name);
    const focus = () => {
      if (focusProblem(grid.current, rows, columns)) window.gridAsked = null;
    };
    // They may have asked for it before it was there.
    if (window.gridAsked === location.pathname) focus();
    box?.addEventListener("grid:focus", focus);
    return () => box?.removeEventListener("grid:focus", focus);
  }, [name, rows, columns]);
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
