import type { Cell } from './cell.ts';
import type { Kernel } from './kernel.ts';
import type { Body } from './program.ts';
import type { TraceHeaders } from './trace-headers.ts';

/** The span of a call, or of a spawn on another node, from the request to its outcome. */
export interface RequestTrace {
  /** Runs the code that sends the request, in the span's context. */
  run(act: () => void): void;
  /** @param failed why it failed, in one word; undefined: it succeeded. */
  end(failed: string | undefined): void;
}

/** Runs code with the trace context of the code that made it. */
export type InTrace = (act: () => void) => void;

/**
 * Carries trace contexts with messages, calls and spawns. ts/otel implements it; without it the kernel carries none. `from` null: code
 * outside of actors.
 */
export interface TracingPort {
  /** Whether a message sent now belongs to no trace and begins none: the sender then need not call `send` of this port. */
  isOutside(from: Cell | null): boolean;
  /** User code sends a message to `to`; `act` sends it. */
  send<R>(from: Cell | null, to: unknown, act: () => R): R;
  /** A call (`rpc`) or a spawn on another node begins. Undefined: it is not traced. */
  request(
    from: Cell | null,
    kind: 'call' | 'spawn',
    target: unknown,
    method: string,
  ): RequestTrace | undefined;
  /** A timer with a message for `to` is armed. Undefined: it carries no context. */
  timer(from: Cell, to: unknown): InTrace | undefined;
  /** An actor was spawned. `isRemote`: by an actor of another node. */
  spawned(parent: Cell | null, child: Cell, isRemote: boolean): void;
  /** A message is about to enter a mailbox: its context is stored. */
  enters(cell: Cell, message: unknown): void;
  /** A message was dropped from a mailbox. */
  dropped(cell: Cell, message: unknown): void;
  /** A function actor has taken a message. */
  received(cell: Cell, message: unknown): void;
  /** The actor's first turn. */
  begin(cell: Cell, act: () => void): void;
  /** A handler gets `message`. `item` is what the mailbox held: the message, or an Envelope of it. */
  turn(cell: Cell, item: unknown, message: unknown, body: Body): void | PromiseLike<void>;
  /** A peer's frame came with a context; `act` handles the frame. */
  arrive(headers: TraceHeaders, act: () => void): void;
  /** A message came from outside of the cluster: a trace may begin here. */
  entry<R>(cell: Cell | undefined, operation: string, act: () => R): R;
  /** A peer's broadcast is delivered here to a receiver that is not an actor. */
  forwarded(target: string): void;
}

/** Runs `act`, which sends, in a trace span if tracing is on. `target` gives the span its name. */
export function inSend<R>(kernel: Kernel, from: Cell | null, target: unknown, act: () => R): R {
  const { tracing } = kernel;
  return tracing === null ? act() : tracing.send(from, target, act);
}
