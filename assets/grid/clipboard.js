// Cells as spreadsheets copy and paste them: a text with tabs and lines.

// The cells of a text, laid over the grid from a cell on; how many were beyond it.
export function pasted(text, from, rows, columns) {
  const lines = copied(text.replace(/\r\n?/g, "\n").replace(/\n$/, ""));
  const filled = fill(lines, from);
  const cells = filled.flatMap((values, down) => values.map((value, right) => {
    const target = rows[from.row + down];
    const column = columns[from.column + right];
    return target && column ? { row: target.id, key: column.key, value, target, column } : null;
  }));
  return { cells: cells.filter(Boolean), beyond: cells.filter((cell) => !cell).length };
}

// A single cell fills the whole range that is selected.
function fill(lines, { height = 1, width = 1 }) {
  if (lines.length > 1 || lines[0].length > 1) return lines;
  return Array.from({ length: height }, () => Array(width).fill(lines[0][0]));
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

export function asText(lines) {
  const quoted = (value) => (/[\t\n\r]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);
  if (lines.length === 1 && lines[0].length === 1) return lines[0][0];
  return lines.map((values) => values.map(quoted).join("\t")).join("\n");
}

// After a wait for the server the browser gives no event to write to.
export async function write(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const give = (event) => { event.clipboardData.setData("text/plain", text); event.preventDefault(); event.stopPropagation(); };
    document.addEventListener("copy", give, { capture: true, once: true });
    document.execCommand("copy");
    document.removeEventListener("copy", give, { capture: true });
  }
}
