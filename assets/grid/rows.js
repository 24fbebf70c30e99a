// Rows in their newest form, what was typed and not answered yet, and which of them are selected.
import { useCallback, useEffect, useMemo, useRef, useState } from "react";

const HEIGHTS = { comfortable: 40, compact: 32 };
const HEIGHT = 36;
const MORE = 18;
const NO_ONE = [];

// A cell shows what was typed until the answer changes its row's stamp.
export function useShownRows(rows, changed) {
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

// A click is shown before the answer has come, and taken back when it is refused.
export function useSelection({ selected = NO_ONE, allSelected: isAll, refusals, onSelect }, rows) {
  const [pending, setPending] = useState(new Map());
  const known = useMemo(() => new Set(selected), [selected]);
  useEffect(() => {
    setPending((before) => new Map([...before].filter(([id, on]) => (isAll || known.has(id)) !== on)));
  }, [known, isAll]);
  useEffect(() => setPending(new Map()), [refusals]);
  const ids = useMemo(
    () => new Set(rows.map((row) => row.id).filter((id) => pending.get(id) ?? (isAll || known.has(id)))),
    [rows, pending, known, isAll],
  );
  const select = (changed, on) => {
    if (!changed.length) return;
    setPending((before) => new Map([...before, ...changed.map((id) => [id, on])]));
    onSelect(changed, on);
  };
  return {
    ids,
    toggle: (id) => select([id], !ids.has(id)),
    become: (next) => {
      select([...next].filter((id) => !ids.has(id)), true);
      select([...ids].filter((id) => !next.has(id)), false);
    },
  };
}

export function isOpen(row, key, canLoad) {
  return !row.locked && !row.gone && (canLoad || !row.cut?.includes(key));
}

export function rowHeight(row, density) {
  const isHigh = row.state?.note || Object.keys(row.before ?? {}).length || Object.keys(row.problems ?? {}).length;
  return (HEIGHTS[density] ?? HEIGHT) + (isHigh ? MORE : 0);
}
