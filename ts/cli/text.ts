// Formats figures and tables as text.

/** A table; columns are as wide as their content, numbers are aligned to the right. */
export function table(heads: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const widths = heads.map((head, at) =>
    Math.max(head.length, ...rows.map((row) => printable(row[at]).length)),
  );
  const line = (cells: readonly (string | number | undefined)[]): string =>
    cells
      .map((cell, at) =>
        isFigure(rows[0]?.[at])
          ? printable(cell).padStart(widths[at] ?? 0)
          : printable(cell).padEnd(widths[at] ?? 0),
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

/** Without control characters: labels and names come from other nodes. */
export function printable(text: string | number | undefined): string {
  return String(text ?? '').replace(/\p{Cc}/gu, '?');
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
