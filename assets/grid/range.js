// A range of cells: begun at the active cell, and extended by Shift with arrows or a click, or by dragging.
import { useEffect, useRef, useState } from "react";

const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

// Positions are indexes of rows and columns.
export function useRange(rows, columns) {
  const [ends, setEnds] = useState(null);
  const active = useRef(null);
  useEffect(() => setEnds(null), [rows.length, rows[0]?.id, columns]);
  const to = (head) => {
    const anchor = ends?.anchor ?? active.current ?? head;
    setEnds(anchor.row === head.row && anchor.column === head.column ? null : { anchor, head });
  };
  const rectangle = ends && between(ends);
  return {
    rectangle,
    contains: (row, column) => Boolean(rectangle) && inside(row, rectangle.row, rectangle.height)
      && inside(column, rectangle.column, rectangle.width),
    // What is copied, cleared, or pasted over.
    chosen: () => rectangle ?? (active.current && { ...active.current, height: 1, width: 1 }),
    activate: (row, column) => { active.current = row < 0 || column < 0 ? null : { row, column }; },
    clear: () => setEnds(null),
    to,
    step: (key) => {
      const from = ends?.head ?? active.current;
      if (!from || !STEPS[key]) return null;
      const head = {
        row: clamp(from.row + STEPS[key][0], rows.length), column: clamp(from.column + STEPS[key][1], columns.length),
      };
      to(head);
      return head;
    },
  };
}

// The position of a cell's element in the grid.
export function positionOf(element) {
  const cell = element?.closest?.("[role=gridcell]");
  const row = cell?.closest("[role=row]");
  return row ? { row: row.ariaRowIndex - 2, column: cell.ariaColIndex - 1 } : null;
}

function between({ anchor, head }) {
  const [top, bottom] = [anchor.row, head.row].sort((one, other) => one - other);
  const [left, right] = [anchor.column, head.column].sort((one, other) => one - other);
  return { row: top, column: left, height: bottom - top + 1, width: right - left + 1 };
}

const inside = (at, first, count) => at >= first && at < first + count;
const clamp = (at, count) => Math.min(Math.max(0, at), count - 1);
