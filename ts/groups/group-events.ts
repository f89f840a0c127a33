import { SystemMessage } from '../actor/index.ts';
import type { Pid, Ref } from '../term/index.ts';

/** Actors joined a group: sent to who monitors it, or all groups. Nobody can send one but the runtime (B10). */
export class GroupJoin extends SystemMessage {
  /** Of the monitor. */
  readonly ref: Ref;
  readonly group: string;
  /** Who joined; an actor that joined twice at once stands here twice. */
  readonly pids: readonly Pid[];

  /** @internal */
  constructor(ref: Ref, group: string, pids: readonly Pid[]) {
    super();
    this.ref = ref;
    this.group = group;
    this.pids = pids;
  }
}

/** Actors are in a group no more: they left, died, or their node is lost. Sent to who monitors it, or all groups. */
export class GroupLeave extends SystemMessage {
  /** Of the monitor. */
  readonly ref: Ref;
  readonly group: string;
  /** Who left; an actor stands here once for every time it had joined. */
  readonly pids: readonly Pid[];

  /** @internal */
  constructor(ref: Ref, group: string, pids: readonly Pid[]) {
    super();
    this.ref = ref;
    this.group = group;
    this.pids = pids;
  }
}
