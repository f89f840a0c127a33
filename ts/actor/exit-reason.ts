/** Why an actor ended: any term. */
export type ExitReason = unknown;

/** The reason of an actor that threw an error (rule A3). */
export interface ErrorReason {
  readonly error: Error & { code?: unknown };
}

/** The reason of an actor that threw something that is no error. */
export interface NoCatchReason {
  readonly nocatch: unknown;
}

export type CrashReason = ErrorReason | NoCatchReason;

/** Whether `reason` is an end in order: `normal`, `shutdown` or `{ shutdown: … }`. Such ends are not logged as crashes (I8). */
export function isCleanExit(reason: ExitReason): boolean {
  if (reason === 'normal' || reason === 'shutdown') return true;
  return typeof reason === 'object' && reason !== null && Object.hasOwn(reason, 'shutdown');
}
