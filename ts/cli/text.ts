// Formats figures and tables as text.
import stringWidth from 'string-width';

/** A table; columns are as wide as their content, numbers are aligned to the right. */
export function table(heads: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const widths = heads.map((head, at) =>
    Math.max(head.length, ...rows.map((row) => widthOf(printable(row[at])))),
  );
  const line = (cells: readonly (string | number | undefined)[]): string =>
    cells
      .map((cell, at) =>
        isFigure(rows[0]?.[at])
          ? printable(cell).padStart(widths[at] ?? 0)
          : wide(printable(cell), widths[at] ?? 0),
      )
      .join('  ')
      .trimEnd();
  return [line(heads), ...rows.map(line)].map((each) => `${each}\n`).join('');
}

/** A table of two columns: a name and its value. */
export function facts(rows: readonly (readonly [string, string | number])[]): string {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${printable(value)}\n`).join('');
}

/** Without characters that control the terminal, break the line or turn the direction of the text: labels and names come from other nodes. */
export function printable(text: string | number | undefined): string {
  return String(text ?? '').replace(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu, '?');
}

/** Columns that `text` takes on a terminal: a Chinese character and an emoji take two. */
function widthOf(text: string): number {
  return /^[ -~]*$/.test(text) ? text.length : stringWidth(text);
}

/** With spaces up to a width in columns of the terminal. */
export function wide(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - widthOf(text)));
}

const graphemes = new Intl.Segmenter('en');

/** Cut to a width in columns of the terminal, with `…` for the rest; never within a character. */
export function fit(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  let kept = '';
  let left = columns - 1;
  for (const { segment } of graphemes.segment(text)) {
    left -= widthOf(segment);
    if (left < 0) break;
    kept += segment;
  }
  return `${kept}…`;
}

function isFigure(value: string | number | undefined): boolean {
  return typeof value === 'number' || /^[\d.]+( [kMG]i?B?| B| ms| s| %)?(\/s)?$/.test(String(value ?? ''));
}

export function bytes(count: number): string {
  if (count < 1024) return `${Math.round(count)} B`;
  if (count < 1024 ** 2) return `${(count / 1024).toFixed(1)} KiB`;
  if (count < 1024 ** 3) return `${(count / 1024 ** 2).toFixed(1)} MiB`;
  return `${(count / 1024 ** 3).toFixed(2)} GiB`;
}

export function count(figure: number): string {
  if (figure < 10_000) return String(Math.round(figure));
  return figure < 1e6 ? `${(figure / 1000).toFixed(1)}k` : `${(figure / 1e6).toFixed(1)}M`;
}

/** A duration. */
export function age(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 60) return ms < 1000 ? `${Math.round(ms)} ms` : `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  const hours = Math.floor(minutes / 60);
  return hours < 24 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** The sum of counts by reason. */
export function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, each) => total + each, 0);
}
