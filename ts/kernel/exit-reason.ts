/**
 * Why an actor ended: any value that can be sent. As Erlang's exit reasons. These have a meaning of their own:
 *
 * - `normal`: its function returned. A linked actor that does not trap exits ignores it.
 * - `shutdown`, `{ shutdown: info }`: it was told to stop. It is not logged as a crash.
 * - `kill`: sent with `sendExit` it cannot be trapped; the actor then ends with `killed`.
 * - `noproc`: there was no such actor.
 * - `noconnection`: the connection to its node was lost, or could not be made. The actor may still run.
 * - `{ unsendable: code }`: what another node gets in place of a reason that is too large or too deep to be sent.
 * - {@link CrashReason}: its code threw an error.
 */
export type ExitReason = unknown;

/** The exit reason of an actor that threw an `Error`, or whose promise rejected with one. Plain data, the same on every node. */
export interface ErrorReason {
  readonly error: { readonly name: string; readonly message: string; readonly code?: string | number };
  readonly stack: string;
}

/** The exit reason of an actor that threw a value that is not an `Error`. As Erlang's `{nocatch, Value}`. */
export interface NoCatchReason {
  /** The thrown value, or its text when it cannot be sent. */
  readonly nocatch: unknown;
  /** Empty: JavaScript records a stack only in errors. */
  readonly stack: string;
}

/** The exit reason of an actor whose code threw: plain data, with the stack as text. */
export type CrashReason = ErrorReason | NoCatchReason;

/**
 * Whether an exit reason is a clean end: `normal`, `shutdown` or `{ shutdown: … }`. A clean end is not logged, and a supervisor
 * does not restart a `transient` child after it, as in OTP.
 *
 * @example
 * const down = await self.receive(Down);
 * if (!isCleanExit(down.reason)) console.warn('the actor failed', down.reason);
 */
export function isCleanExit(reason: ExitReason): boolean {
  if (reason === 'normal' || reason === 'shutdown') return true;
  return typeof reason === 'object' && reason !== null && Object.hasOwn(reason, 'shutdown');
}
