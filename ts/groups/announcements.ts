// Tells peers the memberships of the actors of this node: all of them, some in each turn of the event loop, and then each change.
//
// A `sync` has a group as it is when the group's turn comes: changes before that are not told, those after that follow the last `sync`. So
// each change is told once, and in order.
import type { Kernel } from '../kernel/index.ts';
import { Snapshots, type SnapshotsPort } from '../peer/index.ts';
import type { Pid } from '../term/index.ts';
import type { Roster, Side } from './group-table.ts';
import type { GroupsPeer } from './groups-peer.ts';
import { type Entry, type Message, parts } from './messages.ts';

/** Members of one group of this node that join or leave. The roster is the one that they join, or that they have left. */
export type Change = readonly [group: string, pids: readonly Pid[], roster: Roster | undefined];

export class Announcements {
  readonly #own: Side;
  readonly #port: SnapshotsPort<GroupsPeer, Message>;
  readonly #snapshots: Snapshots<GroupsPeer, Message>;

  constructor(
    kernel: Pick<Kernel, 'logger' | 'isStopped'>,
    own: Side,
    port: SnapshotsPort<GroupsPeer, Message>,
  ) {
    this.#own = own;
    this.#port = port;
    this.#snapshots = new Snapshots(kernel, port);
  }

  /** Sends a peer all memberships, and from now on changes. At least one message: it tells the peer that this node has groups. */
  all(peer: GroupsPeer): void {
    peer.isSynced = true;
    peer.unsent = { above: 0, upTo: this.#own.opened };
    this.#snapshots.begin(peer, this.#sync(peer));
  }

  /** Tells a change to all of these peers that were sent all memberships. */
  changed(what: 'join' | 'leave', changes: readonly Change[], peers: Iterable<GroupsPeer>): void {
    for (const peer of peers) {
      if (!peer.isSynced) continue;
      for (const part of parts(changes.filter((change) => isTold(change, peer))))
        this.#snapshots.send(peer, [what, part]);
    }
  }

  /** A peer does not take part any more. */
  end(peer: GroupsPeer): void {
    peer.isSynced = false;
    this.#snapshots.end(peer);
  }

  close(): void {
    this.#snapshots.close();
  }

  *#sync(peer: GroupsPeer): Generator<number, void> {
    let isFirst = true;
    for (const part of parts(this.#entries(peer))) {
      this.#port.send(peer, ['sync', part, isFirst]);
      isFirst = false;
      yield part.reduce((sum, [, pids]) => sum + pids.length, 0);
    }
    if (isFirst) this.#port.send(peer, ['sync', [], true]);
  }

  *#entries({ unsent }: GroupsPeer): IterableIterator<Entry> {
    for (const [group, roster] of this.#own.groups) {
      if (roster.number > unsent.upTo) break;
      unsent.above = roster.number;
      yield [group, roster.list()];
    }
  }
}

/** False: the change is part of what the peer will be sent of that group. */
function isTold([, , roster]: Change, { unsent }: GroupsPeer): boolean {
  return roster === undefined || roster.number <= unsent.above || roster.number > unsent.upTo;
}
