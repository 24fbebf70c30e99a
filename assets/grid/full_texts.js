// The whole texts of cells that a page shows only the beginning of: for the editor and the clipboard.
import { useCallback, useEffect, useRef } from "react";

// The returned function resolves to texts by row and column; it is undefined if nothing can be loaded.
export function useFullTexts(full, onLoad) {
  const requests = useRef(new Map());
  const number = useRef(0);
  const send = useRef(onLoad);
  useEffect(() => { send.current = onLoad; });
  useEffect(() => {
    requests.current.get(full?.number)?.(full.texts);
    requests.current.delete(full?.number);
  }, [full]);
  const load = useCallback((cells) => new Promise((resolve) => {
    // Numbers of an earlier visit to the page are not used again.
    number.current = Math.max(number.current + 1, Date.now());
    requests.current.set(number.current, resolve);
    send.current(cells.map(({ row, key }) => ({ row, column: key })), number.current);
  }), []);
  return onLoad ? load : undefined;
}
