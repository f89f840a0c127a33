import { SystemMessage } from '../actor/index.ts';
import type { Pid } from '../term/index.ts';

/** One of two actors that have the same name after a split. */
export interface Contender {
  readonly pid: Pid;
  readonly node: string;
}

/**
 * Chooses between two actors with the same name: the PID that keeps it, or undefined for none of them.
 *
 * It is called once a conflict, on the node of `first`, which is the one that keeps the name by default. It must not
 * wait. What it throws, or returns that is neither, counts as none (Q7). All nodes should use the same one.
 */
export type ConflictResolver = (name: string, first: Contender, second: Contender) => Pid | undefined;

/** To an actor that lost a global name to another one when a split healed (Q7). */
export class NameConflict extends SystemMessage {
  readonly name: string;
  /** Who has the name now; undefined: nobody. */
  readonly winner: Pid | undefined;

  /** @internal */
  constructor(name: string, winner: Pid | undefined) {
    super();
    this.name = name;
    this.winner = winner;
  }
}
