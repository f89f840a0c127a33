// A terminal as users have one: it takes what a command writes, and shows it.
import { Unicode11Addon } from '@xterm/addon-unicode11';
import xterm from '@xterm/headless';

export class Emulator {
  readonly #terminal: xterm.Terminal;
  #text = '';

  constructor(columns: number, rows: number) {
    this.#terminal = new xterm.Terminal({ cols: columns, rows, allowProposedApi: true });
    this.#terminal.loadAddon(new Unicode11Addon());
    this.#terminal.unicode.activeVersion = '11';
  }

  /** What is written is shown some turns of the event loop later. */
  write(text: string): void {
    this.#text += text;
    this.#terminal.write(text);
  }

  resize(columns: number, rows: number): void {
    this.#terminal.resize(columns, rows);
  }

  /** The lines that can be seen, without spaces at their ends. */
  lines(): string[] {
    const { active } = this.#terminal.buffer;
    return Array.from({ length: this.#terminal.rows }, (_, row) =>
      (active.getLine(active.viewportY + row)?.translateToString() ?? '').trimEnd(),
    );
  }

  picture(): string {
    return this.lines().join('\n');
  }

  /** The column in which `text` begins on the line that contains it. */
  columnOf(text: string): number {
    const { active } = this.#terminal.buffer;
    const row = this.lines().findIndex((line) => line.includes(text));
    const line = active.getLine(active.viewportY + row);
    for (let column = 0; line !== undefined && column < this.#terminal.cols; column++)
      if (line.translateToString(false, column).startsWith(text)) return column;
    return -1;
  }

  /** Whether lines were longer than the screen is wide. */
  hasWrapped(): boolean {
    const { active } = this.#terminal.buffer;
    return this.lines().some((_, row) => active.getLine(active.viewportY + row)?.isWrapped === true);
  }

  /** Whether a program has taken the whole screen: what was shown before comes back later. */
  get isTaken(): boolean {
    return this.#terminal.buffer.active.type === 'alternate';
  }

  /** Whether the cursor was shown or hidden last. */
  get showsCursor(): boolean {
    return this.#text.lastIndexOf('\u001B[?25h') >= this.#text.lastIndexOf('\u001B[?25l');
  }

  /** Everything that was written. */
  get text(): string {
    return this.#text;
  }
}
