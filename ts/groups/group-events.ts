import { SystemMessage } from '../actor/index.ts';
import type { Pid, Ref } from '../term/index.ts';

/** Actors joined a group: sent to actors that monitor it, or all groups. Only the runtime can send one. */
export class GroupJoin extends SystemMessage {
  /** The reference of the monitor. */
  readonly ref: Ref;
  readonly group: string;
  /** The actors that joined; one that joined twice at once stands here twice. */
  readonly pids: readonly Pid[];

  /** @internal */
  constructor(ref: Ref, group: string, pids: readonly Pid[]) {
    super();
    this.ref = ref;
    this.group = group;
    this.pids = pids;
  }
}

/** Actors are no longer in a group: they left, died, or their node is lost. Sent to actors that monitor it, or all groups. */
export class GroupLeave extends SystemMessage {
  /** The reference of the monitor. */
  readonly ref: Ref;
  readonly group: string;
  /** The actors that left; one stands here once for every time it had joined. */
  readonly pids: readonly Pid[];

  /** @internal */
  constructor(ref: Ref, group: string, pids: readonly Pid[]) {
    super();
    this.ref = ref;
    this.group = group;
    this.pids = pids;
  }
}
