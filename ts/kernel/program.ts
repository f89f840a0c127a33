// The code of an actor as the kernel runs it, without the types of its messages. ts/actor/spec.ts has the typed forms.
import type { ExitReason } from './exit-reason.ts';

// oxlint-disable-next-line typescript/no-explicit-any -- the typed forms say what their functions take
type Anything = any;

/** Key of a body's method that is called once when its actor has died, however it died, after its names are free. */
export const ON_DEATH: unique symbol = Symbol('snowmesh.onDeath');

/** An actor that is called once per message. */
export interface Body {
  /** For the runtime's own actors that exist in large numbers: it needs no callback, and no `Extras`, while the actor lives. */
  [ON_DEATH]?(): void;
  onMessage(message: Anything, self: Anything): void | PromiseLike<void>;
  onTerminate?(reason: ExitReason, self: Anything): void | PromiseLike<void>;
}

/** A named actor function. `ack`: its init ends with `initAck`. */
export interface FunctionProgram {
  readonly kind: 'function';
  readonly name: string;
  readonly body: (self: Anything, ...args: Anything[]) => void | PromiseLike<void>;
  readonly ack?: boolean;
}

/** A named handler actor. */
export interface HandlerProgram {
  readonly kind: 'handler';
  readonly name: string;
  readonly init: (
    self: Anything,
    ...args: Anything[]
  ) => Body | typeof IGNORE | PromiseLike<Body | typeof IGNORE>;
}

/** What can be spawned: a function or a named program. */
export type Program = FunctionProgram['body'] | FunctionProgram | HandlerProgram;

/**
 * Returned by an init: the actor does not start, and that is not an error. As `ignore` of OTP's `init/1`; a supervisor keeps the
 * child without a process.
 *
 * @example
 * const cache = defineHandler('cache', () => (process.env['NO_CACHE'] ? IGNORE : { onMessage: () => {} }));
 */
export const IGNORE: unique symbol = Symbol('snowmesh.ignore');

/** Whether `start` waits for an init of this program (I1). */
export function waitsForInit(what: Program): boolean {
  return typeof what !== 'function' && (what.kind === 'handler' || what.ack === true);
}
