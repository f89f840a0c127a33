/**
 * Why an actor ended: any term. The words with a meaning of their own are
 *
 * - `normal`: its function returned. Links of actors that do not trap exits ignore it.
 * - `shutdown`, `{ shutdown: info }`: it was asked to end; not logged as a crash.
 * - `kill`: as an explicit exit signal it cannot be trapped; the actor then ends with `killed`.
 * - `noproc`: there was no such actor. `noconnection`: its node is out of reach.
 * - `{ unsendable: code }`: another node gets this for a reason that is too large or too deep to travel.
 * - {@link CrashReason}: its code threw.
 */
export type ExitReason = unknown;

/** What an uncaught error or rejection ends an actor with. Plain data, equal on every node. */
export interface ErrorReason {
  readonly error: { readonly name: string; readonly message: string; readonly code?: string | number };
  readonly stack: string;
}

/** What an uncaught throw of something that is not an `Error` ends an actor with. */
export interface NoCatchReason {
  /** The thrown value, or its description when it cannot travel. */
  readonly nocatch: unknown;
  readonly stack: string;
}

/** Why an actor ended whose code threw; plain data, with the stack as text. */
export type CrashReason = ErrorReason | NoCatchReason;

/**
 * Whether a reason is a clean end: `normal`, `shutdown` or `{ shutdown: … }`. Those are not logged.
 *
 * @example
 * const down = await self.receive(Down);
 * if (!isCleanExit(down.reason)) console.warn('it failed', down.reason);
 */
export function isCleanExit(reason: ExitReason): boolean {
  if (reason === 'normal' || reason === 'shutdown') return true;
  return typeof reason === 'object' && reason !== null && Object.hasOwn(reason, 'shutdown');
}
