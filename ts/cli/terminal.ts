/** Input, output and environment of a command. */
export interface Terminal {
  out(text: string): void;
  err(text: string): void;
  /** Aborts when the command must end: Ctrl-C, SIGTERM. Until it is read for the first time, such a signal ends the process. */
  readonly signal: AbortSignal;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The screen for live commands; undefined: standard input or output is not a terminal. */
  readonly screen?: Screen | undefined;
}

/** A terminal with a keyboard. */
export interface Screen {
  size(): { readonly columns: number; readonly rows: number };
  /** Calls back for each key, with its name in node:readline. Returns a function that ends it. */
  keys(pressed: (key: string) => void): () => void;
}
