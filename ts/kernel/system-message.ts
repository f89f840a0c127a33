import { inspect } from 'node:util';
import type { Pid, Ref } from '../term/index.ts';
import type { ExitReason } from './exit-reason.ts';

/** A local name on a node, as Erlang's `{Name, Node}`. The other node looks the name up when a message arrives. */
export interface NodeAddress {
  readonly name: string;
  readonly node: string;
}

/**
 * A message that the runtime puts into a mailbox: Exit, Down, NodeUp, NodeDown, Call, Timeout, … Instances of classes cannot be sent,
 * so no actor and no peer can forge one. A mailbox limit never drops one.
 *
 * @example
 * const message = await self.receive();
 * if (!(message instanceof SystemMessage)) handle(message); // a message of the actor's own type
 */
export abstract class SystemMessage {
  /** @internal What a log of JSON lines gets, and `console.log` prints after its class. */
  toJSON(): unknown {
    // oxlint-disable-next-line typescript/no-misused-spread -- its class is printed already
    return { ...this };
  }

  [inspect.custom](): string {
    return `${this.constructor.name} ${inspect(this.toJSON())}`;
  }
}

/**
 * An exit signal, as an actor that traps exits gets it: a linked actor ended, or `sendExit` was called. As Erlang's
 * `{'EXIT', From, Reason}`.
 *
 * @example
 * self.trapExit(true);
 * const { from, reason } = await self.receive(Exit);
 */
export class Exit extends SystemMessage {
  /** The actor that ended, or that sent the signal. */
  readonly from: Pid;
  readonly reason: ExitReason;
  readonly #cause: ExitCause;

  /** @internal */
  constructor(from: Pid, reason: ExitReason, cause: ExitCause = 'signal') {
    super();
    this.from = from;
    this.reason = reason;
    this.#cause = cause;
  }

  /** @internal Whether the node of `from` was lost. The reason does not say so: an actor may end with `noconnection` by itself. */
  static isLoss(exit: Exit): boolean {
    return exit.#cause === 'loss';
  }

  /** @internal Whether `from` has ended, or its node was lost. It has not, as far as is known, when it only sent the signal. */
  static isEnd(exit: Exit): boolean {
    return exit.#cause !== 'signal';
  }
}

/** Why an exit signal was sent: by `sendExit`, by the end of a linked actor, or because its node was lost. */
export type ExitCause = 'signal' | 'link' | 'loss';

/**
 * A monitored actor has ended, or its node was lost (`noconnection`). Comes exactly once for each monitor. As Erlang's
 * `{'DOWN', Ref, process, From, Reason}`.
 *
 * @example
 * const ref = self.monitor(worker);
 * const { reason } = (await self.receive(ref)) as Down;
 */
export class Down extends SystemMessage {
  /** What `monitor` returned. */
  readonly ref: Ref;
  /** What was monitored: a PID, or name and node when it was monitored by name. */
  readonly from: Pid | NodeAddress;
  readonly reason: ExitReason;

  /** @internal */
  constructor(ref: Ref, from: Pid | NodeAddress, reason: ExitReason) {
    super();
    this.ref = ref;
    this.from = from;
    this.reason = reason;
  }
}

/** Another node connected. Comes before the first message of that node. As Erlang's `{nodeup, Node, Info}`. */
export class NodeUp extends SystemMessage {
  /** Its full name. */
  readonly node: string;
  /** Facts about the node and the connection. */
  readonly details: Readonly<Record<string, unknown>>;

  /** @internal */
  constructor(node: string, details: Readonly<Record<string, unknown>> = {}) {
    super();
    this.node = node;
    this.details = details;
  }
}

/** The connection to another node ended. Comes after the last message of that node. As Erlang's `{nodedown, Node, Info}`. */
export class NodeDown extends SystemMessage {
  /** Its full name. */
  readonly node: string;
  /** Why it ended: `closed`, `timeout`, `disconnect`, … */
  readonly cause: string;
  /** Facts about the end of the connection. */
  readonly details: Readonly<Record<string, unknown>>;

  /** @internal */
  constructor(node: string, cause: string, details: Readonly<Record<string, unknown>> = {}) {
    super();
    this.node = node;
    this.cause = cause;
    this.details = details;
  }
}
