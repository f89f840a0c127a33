import { SystemMessage } from '../actor/index.ts';
import type { Pid } from '../term/index.ts';

/** One of two actors with the same name after a netsplit. */
export interface Contender {
  readonly pid: Pid;
  readonly node: string;
}

/**
 * Chooses between two actors with one name: returns the PID that keeps it, or undefined for neither.
 *
 * It is called once for each conflict, on the node of `first`, the actor that keeps the name by default. It must be synchronous: when
 * it throws, or returns anything else, neither actor keeps the name. All nodes should use the same resolver.
 */
export type ConflictResolver = (name: string, first: Contender, second: Contender) => Pid | undefined;

/** Sent to an actor that lost a global name to another one when a netsplit healed. */
export class NameConflict extends SystemMessage {
  readonly name: string;
  /** The actor that has the name now; undefined when no actor has it. */
  readonly winner: Pid | undefined;

  /** @internal */
  constructor(name: string, winner: Pid | undefined) {
    super();
    this.name = name;
    this.winner = winner;
  }
}
