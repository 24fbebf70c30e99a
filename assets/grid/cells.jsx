// How the cells of a grid are drawn, by the kind of their column, and the editor of a value.
import { useCallback, useEffect, useRef, useState } from "react";
import {
  ArrowUpRight, Check, CircleMinus, CircleSlash, Copy, Equal, Pencil, Plus, RefreshCw, Trash2, TriangleAlert,
} from "lucide-react";
import { flushSync } from "react-dom";
import { useHeaderRowSelection, useRowSelection } from "react-data-grid";
import { Link } from "react-router";
import { isOpen } from "./rows.js";

const ICONS = {
  add: Plus, change: RefreshCw, equal: Equal, good: Check, problem: TriangleAlert, copy: Copy, skip: CircleMinus,
  locked: CircleSlash, edit: Pencil, delete: Trash2, open: ArrowUpRight,
};
const TONES = {
  good: "text-good", busy: "text-accent", warning: "text-warning", bad: "text-bad", neutral: "text-muted",
};
const SWITCH = "relative block h-6 w-9 flex-none cursor-pointer appearance-none rounded-full border border-muted bg-sunken "
  + "transition-colors before:absolute before:top-[3px] before:left-[3px] before:size-4 before:rounded-full "
  + "before:bg-muted before:transition-transform aria-busy:opacity-70 aria-checked:border-accent "
  + "aria-checked:bg-accent aria-checked:before:translate-x-3 aria-checked:before:bg-accent-ink forced-color-adjust-none";
const BADGE = "inline-flex items-center rounded-full bg-sunken px-[9px] text-xs leading-5 font-medium text-muted "
  + "data-[on=true]:bg-good-soft data-[on=true]:text-good";
const BUTTON = "inline-grid size-7 flex-none cursor-pointer place-items-center rounded-md text-muted hover:bg-sunken "
  + "hover:text-ink data-[tone=bad]:hover:text-bad";
const CHECK = "size-4 cursor-pointer accent-accent";
const CELL = "select-none has-[textarea]:overflow-visible! has-[textarea]:z-1";
const CHOSEN = "bg-accent-soft! forced-colors:outline-1 forced-colors:-outline-offset-1 forced-colors:outline-[Highlight]";
// The library draws columns at the start twice where it draws all of them: then these stay there by our own rules.
const STUCK = ["sticky! z-1! [inset-inline-start:var(--stuck-0)]!", "sticky! z-1! [inset-inline-start:var(--stuck-1)]!"];
const STUCK_HEAD = ["z-3! [inset-inline-start:var(--stuck-0)]!", "z-3! [inset-inline-start:var(--stuck-1)]!"];
// A day longer ago than this is written as a date.
const DAYS = 7;
const DAY_MS = 86_400_000;

// `given` has what the cells of all columns need: readOnly, ids, onAction, onSwitch, load, typed; `at` is the column's.
export function drawnColumn(column, at, given, contains) {
  const draw = DRAWN[column.kind] ?? ValueCell;
  const isEditable = Boolean(column.editable) && !given.readOnly;
  const stuck = given.isWhole && column.frozen === true ? at : -1;
  const look = stuck < 0 ? CELL : `${CELL} ${STUCK[stuck]}`;
  return {
    key: column.key,
    name: column.name,
    width: column.width || undefined,
    minWidth: 40,
    frozen: stuck < 0 ? column.frozen : undefined,
    headerCellClass: STUCK_HEAD[stuck],
    resizable: Boolean(column.name),
    sortable: Boolean(column.sort),
    draggable: Boolean(column.editable || column.hideable),
    editable: (row) => isEditable && column.kind !== "switch" && isOpen(row, column.key, given.load),
    cellClass: (row) => (contains(row, at) ? `${look} ${CHOSEN}` : look),
    renderHeaderCell: column.kind === "select" ? SelectAll : column.name ? undefined : EmptyHead,
    renderCell: (props) => draw({ ...props, shape: column, given }),
    renderEditCell: isEditable && column.kind !== "switch"
      ? (props) => <Editor {...props} shape={column} given={given} /> : undefined,
    // Answers to other edits come meanwhile.
    editorOptions: { closeOnExternalRowChange: false },
  };
}

function ValueCell({ row, shape: { key, kind }, given }) {
  const value = row.cells[key] ?? "";
  const problem = row.problems?.[key];
  const before = row.before?.[key];
  const isEdited = row.edited?.includes(key) || (!given.isPlain && row.waiting?.includes(key));
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
          <span className="sr-only">was </span>{before || "empty"}
        </del>
      )}
      <span className={`flex items-center gap-1 ${before !== undefined || kind === "lead" ? "font-medium" : ""}`}>
        {isEdited && <Pencil size={12} aria-hidden="true" className="shrink-0 text-accent" />}
        {isEdited && <span className="sr-only">edited </span>}
        {row.gone && kind === "code"
          ? <Gone value={value} given={given} />
          : value
          ? (
            <bdi
              className={`truncate ${kind === "code" ? "font-mono" : kind === "note" ? "text-muted" : ""}`}
              title={value}
              data-testid={given.ids[key]}
            >
              {before !== undefined && <span className="sr-only">now </span>}{value}
            </bdi>
          )
          : <em className="text-muted">{key.startsWith("#") || given.isPlain ? "" : "empty"}</em>}
      </span>
      {problem && <Problem text={problem} />}
    </div>
  );
}

export function Gone({ value, given }) {
  return (
    <bdi className="truncate text-muted" title={value} data-testid={given.ids.gone}>
      <s className="font-mono">{value}</s> deleted
    </bdi>
  );
}

function Problem({ text }) {
  return (
    <span className="flex items-center gap-1 text-xs text-bad" title={text} data-testid="cell-problem">
      <TriangleAlert size={12} aria-hidden="true" className="shrink-0" />
      <span className="truncate">{text}</span>
    </span>
  );
}

function TimeCell({ row, shape: { key } }) {
  return (
    <time dateTime={row.cells[key]} title={moment(row.cells[key])} className="text-muted tabular-nums">
      {shortTime(row.cells[key])}
    </time>
  );
}

function moment(text) {
  return new Date(text).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
}

function shortTime(text) {
  const at = new Date(text);
  const now = new Date();
  const days = Math.round((new Date(now).setHours(0, 0, 0, 0) - new Date(at).setHours(0, 0, 0, 0)) / DAY_MS);
  if (days === 0) return at.toLocaleTimeString([], { timeStyle: "short" });
  if (days > 0 && days < DAYS) return new Intl.RelativeTimeFormat([], { numeric: "auto" }).format(-days, "day");
  if (at.getFullYear() === now.getFullYear()) return at.toLocaleDateString([], { day: "numeric", month: "short" });
  return at.toLocaleDateString([], { year: "numeric", month: "short", day: "numeric" });
}

function SwitchCell({ row, shape, given, tabIndex }) {
  return (
    <div className="flex h-full flex-col justify-center">
      <Switch row={row} column={shape} given={given} tabIndex={tabIndex} />
      {row.problems?.[shape.key] && <Problem text={row.problems[shape.key]} />}
    </div>
  );
}

export function Switch({ row, column: { key, name }, given, tabIndex }) {
  const isOn = row.cells[key] === "true";
  const word = name.toLowerCase();
  if (given.readOnly || row.gone) return <span><span className={BADGE} data-on={isOn}>{isOn ? word : `in${word}`}</span></span>;
  return (
    <button
      type="button"
      role="switch"
      tabIndex={tabIndex}
      className={SWITCH}
      aria-checked={isOn}
      aria-busy={Boolean(row.waiting?.includes(key))}
      aria-label={`${row.name} is ${word}`}
      onClick={() => { if (!row.waiting?.includes(key)) given.onSwitch(row, key, !isOn); }}
      onKeyDown={keepKeys}
    />
  );
}

function ButtonsCell({ row, shape, given, tabIndex }) {
  return (
    <div className="flex h-full items-center justify-end">
      <Buttons row={row} column={shape} given={given} tabIndex={tabIndex} />
    </div>
  );
}

export function Buttons({ row, column, given, tabIndex }) {
  return column.buttons.filter(({ link }) => link || !(given.readOnly || row.gone)).map(({ name, label, icon, tone, link }) => {
    const Icon = ICONS[icon] ?? Check;
    const props = {
      key: name, tabIndex, className: BUTTON, title: label, "aria-label": `${label} ${row.name}`, "data-tone": tone,
      "data-testid": given.ids[name], onKeyDown: keepKeys,
    };
    const { key, ...rest } = props;
    if (link) return <Link key={key} {...rest} to={link.replace("{id}", encodeURIComponent(row.id))}><Icon size={15} aria-hidden="true" /></Link>;
    return (
      <button key={key} {...rest} type="button" onClick={() => given.onAction(row.id, name, row.cells)}>
        <Icon size={15} aria-hidden="true" />
      </button>
    );
  });
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

function ActionCell({ row, tabIndex, given }) {
  if (!row.action?.name || given.readOnly) return null;
  return (
    <button
      type="button"
      tabIndex={tabIndex}
      className="my-1 min-h-6 cursor-pointer rounded border border-line-strong bg-raised px-2 text-xs text-ink hover:bg-sunken"
      aria-label={`${row.action.label}: ${row.name ?? row.id}`}
      onClick={() => given.onAction?.(row.id, row.action.name, row.cells)}
      onKeyDown={keepKeys}
    >
      {row.action.label}
    </button>
  );
}

function SelectCell(props) {
  return <Selected {...props} />;
}

function Selected({ row, tabIndex, given }) {
  const { isRowSelected, onRowSelectionChange } = useRowSelection();
  const change = (event) => onRowSelectionChange({ row, checked: event.target.checked, isShiftClick: event.nativeEvent.shiftKey });
  return (
    <label className="-mx-2 grid h-full cursor-pointer place-items-center">
      <input
        type="checkbox" className={CHECK} tabIndex={tabIndex} checked={isRowSelected} onChange={change}
        aria-label={`Select ${row.name}`} data-testid={given.ids.select} onKeyDown={keepKeys}
      />
    </label>
  );
}

function SelectAll({ tabIndex }) {
  const { isIndeterminate, isRowSelected, onRowSelectionChange } = useHeaderRowSelection();
  return (
    <label className="-mx-2 grid h-full cursor-pointer place-items-center">
      <input
        ref={(element) => { if (element) element.indeterminate = isIndeterminate; }}
        type="checkbox" className={CHECK} tabIndex={tabIndex} checked={isRowSelected}
        onChange={(event) => onRowSelectionChange({ checked: event.target.checked })}
        aria-label="Select all on this page" onKeyDown={keepKeys}
      />
    </label>
  );
}

function EmptyHead() {
  return <span className="sr-only">Actions</span>;
}

// The grid would take Enter and the space bar for itself.
function keepKeys(event) {
  if (["Enter", " "].includes(event.key)) event.stopPropagation();
}

function Editor({ row, column, onRowChange, onClose, shape, given }) {
  const isCut = Boolean(row.cut?.includes(column.key)) && !row.waiting?.includes(column.key);
  // Who begins by typing replaces the text: it is not needed then.
  const [text, setText] = useState(() => (given.typed.current ? "" : isCut ? null : row.cells[column.key] ?? ""));
  const input = useRef(null);
  // What others change meanwhile was not seen by who edits.
  const began = useRef(row.stamp);
  const focus = useCallback((element) => { input.current = element; element?.focus(); element?.select(); }, []);
  useEffect(() => {
    if (text !== null) return undefined;
    let isOver = false;
    given.load([{ row: row.id, key: column.key }]).then((texts) => {
      const whole = texts[row.id]?.[column.key];
      if (isOver) return;
      if (whole === undefined) { onClose(false); return; }
      flushSync(() => setText(whole));
      input.current?.select();
    });
    return () => { isOver = true; };
  }, []);
  const isLoading = text === null;
  const line = (value) => (shape.lines ? value : value.replace(/\r\n?|\n/g, " "));
  return (
    <textarea
      ref={focus}
      rows={1}
      aria-label={`${column.name}, ${row.name ?? row.id}`}
      aria-busy={isLoading}
      readOnly={isLoading}
      placeholder={isLoading ? "Loading …" : ""}
      className="absolute inset-x-0 top-0 block max-h-60 min-h-full resize-none [field-sizing:content] border-0 bg-ground px-2 py-2 text-ink shadow-lg outline-2 -outline-offset-2 outline-accent"
      value={row.draft ?? text ?? ""}
      onChange={(event) => onRowChange({ ...row, draft: line(event.target.value), began: began.current })}
      onBlur={() => onClose(true, false)}
      onKeyDown={(event) => {
        if (event.key !== "Enter") return;
        // Enter takes the value; with Shift or Alt it begins a line.
        if (shape.lines && (event.shiftKey || event.altKey)) event.stopPropagation(); else event.preventDefault();
      }}
    />
  );
}

const DRAWN = {
  state: StateCell, action: ActionCell, select: SelectCell, switch: SwitchCell, buttons: ButtonsCell, time: TimeCell,
};
