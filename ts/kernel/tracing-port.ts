import type { Cell } from './cell.ts';
import type { Kernel } from './kernel.ts';
import type { Body } from './program.ts';
import type { TraceHeaders } from './trace-headers.ts';

/** The span of a call, or of a spawn on another node, from the request to its end. */
export interface RequestTrace {
  /** Runs what sends the request, with its context. */
  run(act: () => void): void;
  /** @param failed a word for why; undefined: it succeeded. */
  end(failed: string | undefined): void;
}

/** Runs code with the trace context of the code that made it. */
export type InTrace = (act: () => void) => void;

/**
 * Trace contexts that go along with messages, calls and spawns. `otel` installs it; a kernel without one has null and carries none.
 * `from` null: code outside of actors.
 */
export interface TracingPort {
  /** Whether what is sent now belongs to no trace and begins none: a send then needs no `send` of this port. */
  isOutside(from: Cell | null): boolean;
  /** User code sends a message to `to`: `act` does it. */
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
  /** An actor was made; `isFar`: an actor of another node asked for it. */
  spawned(parent: Cell | null, child: Cell, isFar: boolean): void;
  /** A message is about to enter a mailbox: the context that goes with it is noted. */
  enters(cell: Cell, message: unknown): void;
  /** A message that lay in the mailbox was dropped. */
  dropped(cell: Cell, message: unknown): void;
  /** A function actor has taken a message. */
  taken(cell: Cell, message: unknown): void;
  /** The actor's first turn. */
  begin(cell: Cell, act: () => void): void;
  /** A handler gets `message`, which lay in the mailbox as `item`. */
  turn(cell: Cell, item: unknown, message: unknown, body: Body): void | PromiseLike<void>;
  /** A frame of a peer that came with a context: `act` handles it. */
  arrive(headers: TraceHeaders, act: () => void): void;
  /** A message came from outside of the cluster: a trace may begin with it. */
  entry<R>(cell: Cell | undefined, operation: string, act: () => R): R;
  /** A broadcast of a peer is handed on here to what is no actor. */
  handedOn(target: string): void;
}

/** Sends with a trace context, if there is one. `target`: what the span is called after. */
export function inSend<R>(kernel: Kernel, from: Cell | null, target: unknown, act: () => R): R {
  const { tracing } = kernel;
  return tracing === null ? act() : tracing.send(from, target, act);
}
