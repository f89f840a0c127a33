import { SystemMessage } from '../actor/index.ts';
import type { Pid, Ref } from '../term/index.ts';

/** Actors joined a group. Sent to actors that monitor this group or all groups. Only the runtime can send it. */
export class GroupJoin extends SystemMessage {
  /** The reference of the monitor. */
  readonly ref: Ref;
  readonly group: string;
  /** The actors that joined; an actor that joined twice at once is listed twice. */
  readonly pids: readonly Pid[];

  /** @internal */
  constructor(ref: Ref, group: string, pids: readonly Pid[]) {
    super();
    this.ref = ref;
    this.group = group;
    this.pids = pids;
  }
}

/**
 * Actors left a group, died, or their node was lost. Sent to actors that monitor this group or all groups. For a lost node with very many
 * members these events are sent over several turns of the event loop; look-ups return none of those members from the loss on.
 */
export class GroupLeave extends SystemMessage {
  /** The reference of the monitor. */
  readonly ref: Ref;
  readonly group: string;
  /** The actors that left; an actor that had joined several times is listed as often as it left. */
  readonly pids: readonly Pid[];

  /** @internal */
  constructor(ref: Ref, group: string, pids: readonly Pid[]) {
    super();
    this.ref = ref;
    this.group = group;
    this.pids = pids;
  }
}
