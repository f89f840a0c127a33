/** What a command sees of the world. */
export interface Terminal {
  out(text: string): void;
  err(text: string): void;
  /** Aborts when the command is to end: Ctrl-C, SIGTERM. */
  readonly signal: AbortSignal;
}
