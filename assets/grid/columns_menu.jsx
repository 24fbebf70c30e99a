// The menu of a grid's columns: which are shown, in which order, and how dense the rows are.
import { useId, useRef, useState } from "react";
import { ArrowDown, ArrowUp, Columns3 } from "lucide-react";
import { isShown } from "./layout.js";

// So many columns are found without a search.
const FEW = 12;
const BUTTON = "inline-flex h-7 cursor-pointer items-center gap-1.5 rounded-lg px-2 font-medium whitespace-nowrap text-accent hover:bg-sunken";
const PLACE = "m-auto supports-[position-area:bottom_span-left]:inset-auto supports-[position-area:bottom_span-left]:m-0 "
  + "supports-[position-area:bottom_span-left]:my-1 [position-area:bottom_span-left] [position-try-fallbacks:flip-inline]";
const MOVE = "grid size-6 flex-none cursor-pointer place-items-center rounded-md text-muted hover:bg-sunken hover:text-ink "
  + "disabled:cursor-default disabled:opacity-30";
const DENSITIES = [["", "Comfortable"], ["compact", "Compact"]];

export function ColumnsMenu({ name, layout, ids }) {
  const id = `${name}-columns`;
  const [search, setSearch] = useState("");
  const [said, setSaid] = useState("");
  const listed = layout.ordered.filter((column) => column.hideable || column.editable);
  const found = listed.filter((column) => column.name.toLowerCase().includes(search.trim().toLowerCase()));
  return (
    <>
      <button type="button" className={BUTTON} popoverTarget={id} data-testid={ids.columns}>
        <Columns3 size={14} aria-hidden="true" />Columns
      </button>
      <div
        id={id} popover="auto" role="dialog" aria-label="Columns" data-testid={ids.columns && `${ids.columns}-menu`}
        className={`w-72 gap-2 rounded-lg border border-line-strong bg-raised p-3 text-ink shadow-lg open:grid ${PLACE}`}
      >
        {listed.length > FEW && (
          <input
            type="search" aria-label="Find a column" placeholder="Find a column" value={search}
            className="h-[34px] w-full rounded-lg border border-line-strong bg-raised px-2.5 placeholder:text-muted"
            onChange={(event) => setSearch(event.target.value)}
          />
        )}
        <ul className="-mx-1 max-h-80 overflow-y-auto px-1" aria-label="Columns">
          {found.map((column) => (
            <Entry key={column.key} column={column} listed={listed} layout={layout} say={setSaid} ids={ids} />
          ))}
        </ul>
        {!found.length && <p className="text-muted">No column has this name.</p>}
        <Density layout={layout} ids={ids} />
        <button
          type="button" className={`${BUTTON} w-fit`}
          onClick={() => layout.store({ order: [], hidden: [], shown: [], widths: {}, density: "" })}
        >
          Reset columns
        </button>
        <p role="status" className="sr-only">{said}</p>
      </div>
    </>
  );
}

function Entry({ column, listed, layout, say, ids }) {
  const row = useRef(null);
  const at = listed.indexOf(column);
  const { hidden, shown } = layout.layout;
  const toggle = (isOn) => layout.store({
    hidden: isOn ? hidden.filter((key) => key !== column.key) : [...hidden, column.key],
    shown: isOn ? [...shown, column.key] : shown.filter((key) => key !== column.key),
  });
  const move = (to) => {
    layout.move(column.key, listed[to].key);
    say(`${column.name} is number ${to + 1} of ${listed.length} now`);
    // The entry that was moved stays in sight.
    requestAnimationFrame(() => row.current?.scrollIntoView({ block: "nearest" }));
  };
  return (
    <li ref={row} className="flex items-center gap-1" data-testid={ids.column} data-column={column.key}>
      <label className="flex min-h-7 min-w-0 flex-1 cursor-pointer items-center gap-2">
        <input
          type="checkbox" className="size-4 flex-none cursor-pointer accent-accent disabled:opacity-50"
          checked={isShown(column, layout.layout)} disabled={!column.hideable}
          onChange={(event) => toggle(event.target.checked)}
        />
        <bdi className="truncate" title={column.name}>{column.name}</bdi>
      </label>
      {!column.frozen && (
        <>
          <button
            type="button" className={MOVE} disabled={at < 1 || Boolean(listed[at - 1].frozen)}
            aria-label={`Move ${column.name} up`} onClick={() => move(at - 1)}
          >
            <ArrowUp size={14} aria-hidden="true" />
          </button>
          <button
            type="button" className={MOVE} disabled={at === listed.length - 1}
            aria-label={`Move ${column.name} down`} onClick={() => move(at + 1)}
          >
            <ArrowDown size={14} aria-hidden="true" />
          </button>
        </>
      )}
    </li>
  );
}

function Density({ layout, ids }) {
  const name = useId();
  return (
    <fieldset className="flex gap-4 border-t border-line pt-2" data-testid={ids.density}>
      <legend className="sr-only">Density</legend>
      {DENSITIES.map(([value, text]) => (
        <label key={value} className="flex min-h-7 cursor-pointer items-center gap-2">
          <input
            type="radio" name={name} className="size-4 cursor-pointer accent-accent"
            checked={layout.layout.density === value} onChange={() => layout.store({ density: value })}
          />
          {text}
        </label>
      ))}
    </fieldset>
  );
}
