// The rows of a grid in a narrow window: a title, a text, a switch and the buttons of each.
import { Buttons, Gone, Switch } from "./cells.jsx";

export function List({ label, rows, columns, keys: [title, text, toggle], selection, given }) {
  const column = (kind) => columns.find((one) => one.kind === kind);
  const shape = columns.find((one) => one.key === toggle);
  return (
    <div className="divide-y divide-line overflow-hidden rounded-xl border border-line bg-raised">
      {column("select") && <SelectAll rows={rows} selection={selection} />}
      <ul aria-label={label} data-testid={given.ids.table} className="divide-y divide-line">
        {rows.map((row) => (
          <li key={row.id} data-testid={given.ids.row} data-row={row.id} className="flex h-16 items-center gap-1 pr-1.5">
            {column("select") && (
              <label className="grid h-full w-10 flex-none cursor-pointer place-items-center">
                <input
                  type="checkbox" className="size-4 cursor-pointer accent-accent" data-testid={given.ids.select} aria-label={`Select ${row.name}`}
                  checked={selection.ids.has(row.id)} onChange={() => selection.toggle(row.id)}
                />
              </label>
            )}
            <div className="min-w-0 flex-1 pr-2">
              <p className="truncate font-mono text-[13px]">{row.gone
                ? <Gone value={row.cells[title]} given={given} />
                : <bdi title={row.cells[title]} data-testid={given.ids[title]}>{row.cells[title]}</bdi>}</p>
              <p className="truncate"><bdi title={row.cells[text]}>{row.cells[text]}</bdi></p>
            </div>
            {shape && <Switch row={row} column={shape} given={given} />}
            {column("buttons") && <Buttons row={row} column={column("buttons")} given={given} />}
          </li>
        ))}
      </ul>
    </div>
  );
}

function SelectAll({ rows, selection }) {
  const isAll = rows.every((row) => selection.ids.has(row.id));
  const change = (event) => selection.become(new Set(event.target.checked ? rows.map((row) => row.id) : []));
  return (
    <label className="flex h-10 cursor-pointer items-center bg-sunken text-xs font-medium text-muted">
      <span className="grid w-10 flex-none place-items-center">
        <input
          ref={(element) => { if (element) element.indeterminate = !isAll && selection.ids.size > 0; }}
          type="checkbox" className="size-4 cursor-pointer accent-accent" checked={isAll} onChange={change}
        />
      </span>
      <span className="ml-1">Select all on this page</span>
    </label>
  );
}
