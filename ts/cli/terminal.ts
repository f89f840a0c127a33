/** Input, output and environment of a command. */
export interface Terminal {
  out(text: string): void;
  err(text: string): void;
  /** Aborts when the command is to end: Ctrl-C, SIGTERM. Until it is read, signals end the process. */
  readonly signal: AbortSignal;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where live commands draw; undefined: standard output is no terminal. */
  readonly screen?: Screen | undefined;
}

/** A terminal with a keyboard. */
export interface Screen {
  size(): { readonly columns: number; readonly rows: number };
  /** Calls back for each key, by the names of node:readline; returns what ends it. */
  keys(pressed: (key: string) => void): () => void;
}
