import { inspect } from 'node:util';
import type { Pid, Ref } from '../term/index.ts';
import type { ExitReason } from './exit-reason.ts';

/** A name on a node: an address that is resolved when it is used. */
export interface NodeAddress {
  readonly name: string;
  readonly node: string;
}

/**
 * What the runtime itself puts into mailboxes. Class instances cannot be sent, so none of these can be forged, and a mailbox limit
 * never drops one.
 *
 * @example
 * const message = await self.receive();
 * if (!(message instanceof SystemMessage)) handle(message); // it is of the actor's own type
 */
export abstract class SystemMessage {
  [inspect.custom](): string {
    // oxlint-disable-next-line typescript/no-misused-spread -- its class is printed already
    return `${this.constructor.name} ${inspect({ ...this })}`;
  }
}

/** An exit signal received by an actor that traps exits: a linked actor ended, or an exit signal was sent to it. */
export class Exit extends SystemMessage {
  readonly from: Pid;
  readonly reason: ExitReason;
  readonly #isLoss: boolean;

  /** @internal */
  constructor(from: Pid, reason: ExitReason, isLoss = false) {
    super();
    this.from = from;
    this.reason = reason;
    this.#isLoss = isLoss;
  }

  /** @internal Whether its node was lost: an actor may also end with `noconnection` of its own. */
  static isLoss(exit: Exit): boolean {
    return exit.#isLoss;
  }
}

/** A monitored actor is gone: sent exactly once per monitor. */
export class Down extends SystemMessage {
  readonly ref: Ref;
  /** What was monitored: the PID, or name and node when it was monitored by name. */
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

/** A node is connected; comes before the first message from it. */
export class NodeUp extends SystemMessage {
  readonly node: string;
  readonly details: Readonly<Record<string, unknown>>;

  /** @internal */
  constructor(node: string, details: Readonly<Record<string, unknown>> = {}) {
    super();
    this.node = node;
    this.details = details;
  }
}

/** A node is lost; comes after the last message from it. */
export class NodeDown extends SystemMessage {
  readonly node: string;
  /** Why: `closed`, `timeout`, `disconnect`, … */
  readonly cause: string;
  readonly details: Readonly<Record<string, unknown>>;

  /** @internal */
  constructor(node: string, cause: string, details: Readonly<Record<string, unknown>> = {}) {
    super();
    this.node = node;
    this.cause = cause;
    this.details = details;
  }
}
