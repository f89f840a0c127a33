import { guard, type Kernel } from '../kernel/index.ts';
import { MAX_BEHIND_SNAPSHOT, WRITTEN_PER_STEP } from './limits.ts';
import { handle, type Work } from './step-queue.ts';

export interface SnapshotsPort<Peer, Message> {
  send(peer: Peer, message: Message): void;
  /** Undefined: there is room in its outbox; else resolves when there is, or when its session has ended. */
  whenWritable(peer: Peer): Promise<void> | undefined;
}

interface Snapshot<Peer, Message> {
  readonly peer: Peer;
  readonly work: Work;
  /** What is sent after it. */
  readonly behind: Message[];
  /** Whether it waits for room in the outbox. */
  isBlocked: boolean;
}

/**
 * Writes whole tables of modules above to peers that have just connected: about a thousand entries in each turn of the event loop, to the peers
 * in turn, and to each only while there is room in its outbox. So a very large table blocks neither timers nor sockets, and does not end a
 * session with an overflow. What is sent to a peer meanwhile follows its snapshot.
 */
export class Snapshots<Peer, Message> {
  readonly #kernel: Pick<Kernel, 'logger' | 'isStopped'>;
  readonly #port: SnapshotsPort<Peer, Message>;
  /** The one that is written next comes first. */
  readonly #underWay = new Map<Peer, Snapshot<Peer, Message>>();
  /** The peers to which a snapshot was begun in this turn of the event loop. */
  readonly #begun = new Set<Peer>();
  #isScheduled = false;

  constructor(kernel: Pick<Kernel, 'logger' | 'isStopped'>, port: SnapshotsPort<Peer, Message>) {
    this.#kernel = kernel;
    this.#port = port;
  }

  /**
   * Begins a snapshot. The first step runs at once, unless others are being written, or one to the same peer was begun in this turn of the event
   * loop: a peer may have it begun again and again. One that is under way to the same peer is dropped, with what follows it.
   *
   * @param work sends messages of entries, and yields after each: an entry may change before the next step.
   */
  begin(peer: Peer, work: Work): void {
    const snapshot = { peer, work, behind: [], isBlocked: false };
    const isFirst = !this.#isWriting() && !this.#begun.has(peer);
    this.#underWay.set(peer, snapshot);
    this.#begun.add(peer);
    if (this.#hasRoom(snapshot) && isFirst) this.#step(snapshot);
    this.#schedule();
  }

  /** Sends a message: after the snapshot, if one is under way to that peer. */
  send(peer: Peer, message: Message): void {
    const snapshot = this.#underWay.get(peer);
    if (snapshot === undefined) return this.#port.send(peer, message);
    snapshot.behind.push(message);
    // Its outbox, which is limited, takes what a peer that does not read would make this node hold (P7).
    if (snapshot.behind.length > MAX_BEHIND_SNAPSHOT) this.#step(snapshot, Number.POSITIVE_INFINITY);
  }

  /** Drops the snapshot to a peer, and what follows it: the peer does not take part any more. */
  end(peer: Peer): void {
    this.#underWay.delete(peer);
  }

  /** Drops everything. */
  close(): void {
    this.#underWay.clear();
    this.#begun.clear();
  }

  #isWriting(): boolean {
    return [...this.#underWay.values()].some(({ isBlocked }) => !isBlocked);
  }

  #schedule(): void {
    if (this.#isScheduled || (this.#begun.size === 0 && !this.#isWriting())) return;
    this.#isScheduled = true;
    setImmediate(this.#next);
  }

  readonly #next = (): void => {
    this.#isScheduled = false;
    this.#begun.clear();
    if (this.#kernel.isStopped) return this.close();
    for (const snapshot of this.#underWay.values()) {
      if (snapshot.isBlocked || !this.#hasRoom(snapshot)) continue;
      const { peer } = snapshot;
      this.#underWay.delete(peer);
      this.#underWay.set(peer, snapshot); // the others are written to before it is again
      this.#step(snapshot);
      break;
    }
    this.#schedule();
  };

  #hasRoom(snapshot: Snapshot<Peer, Message>): boolean {
    const room = this.#port.whenWritable(snapshot.peer);
    if (room === undefined) return true;
    snapshot.isBlocked = true;
    void room.then(() => {
      snapshot.isBlocked = false;
      this.#schedule();
    });
    return false;
  }

  #step(snapshot: Snapshot<Peer, Message>, entries: number = WRITTEN_PER_STEP): void {
    const { peer, work, behind } = snapshot;
    let isWritten = true; // also when it throws: work that has thrown is at its end
    guard(this.#kernel, () => {
      isWritten = handle(work, entries);
    });
    if (!isWritten) return;
    for (const message of behind.splice(0, entries))
      guard(this.#kernel, () => this.#port.send(peer, message));
    if (behind.length === 0) this.#underWay.delete(peer);
  }
}
