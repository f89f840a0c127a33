import { Down, type Runtime, type Self, Timeout } from '../actor/index.ts';
import { OldestFirst } from '../collections/index.ts';
import { Pid } from '../term/index.ts';

/** Most orphans that a node keeps; above it the oldest is dropped. */
const MAX_ORPHANS = 10_000;
/** Pause before orphans that could not be reached are killed again: the first, and the longest. Unit: ms. */
const FIRST_PAUSE_MS = 1000;
const MAX_PAUSE_MS = 60_000;

const killers = new WeakMap<Runtime, OrphanKiller>();

/**
 * Children that were lost with their node and may run on beyond a split: one that traps exits does, and there must not be two
 * (S3). Each is sent `kill` until its end is certain: it was killed, or is not there, because its node was started anew.
 *
 * There is one per runtime, with an actor of its own while there are orphans, so it outlives the supervisors that lost them.
 */
export class OrphanKiller {
  readonly #runtime: Runtime;
  readonly #orphans = new OldestFirst<string, Pid>();
  #actor: Pid<unknown> | undefined;

  static of(runtime: Runtime): OrphanKiller {
    let killer = killers.get(runtime);
    if (killer === undefined) {
      killer = new OrphanKiller(runtime);
      killers.set(runtime, killer);
    }
    return killer;
  }

  private constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  get size(): number {
    return this.#orphans.size;
  }

  /** `supervisor` sends the first `kill` itself: what it starts on that node afterwards comes after it (B1). */
  add(supervisor: Self, orphan: Pid): void {
    if (this.#orphans.size >= MAX_ORPHANS) this.#orphans.takeOldest();
    this.#orphans.set(orphan.key, orphan);
    supervisor.sendExit(orphan, 'kill');
    if (this.#runtime.isStopped) return;
    this.#actor ??= this.#runtime.spawnWith({ label: 'snowmesh orphan killer' }, (self: Self) =>
      this.#run(self),
    );
    this.#runtime.send<unknown>(this.#actor, orphan);
  }

  /** Sent by `supervisor` before it starts a child on `node`: the start comes after the kill (B1). O(orphans). */
  killOn(supervisor: Self, node: string): void {
    for (const orphan of this.#orphans.values())
      if (this.#runtime.nodeOf(orphan) === node) supervisor.sendExit(orphan, 'kill');
  }

  async #run(self: Self): Promise<void> {
    const watched = new Map<number, Pid>();
    // A kill that was lost with a connection is unknown to the next one, so each monitor comes with a kill.
    const kill = (orphan: Pid): void => {
      watched.set(self.monitor(orphan).id, orphan);
      self.sendExit(orphan, 'kill');
    };
    const unreached = new Set<Pid>();
    let pause = FIRST_PAUSE_MS;
    while (this.#orphans.size > 0) {
      const message = await self.receive();
      if (message instanceof Pid) {
        pause = FIRST_PAUSE_MS;
        kill(message);
      } else if (message instanceof Down) {
        const orphan = watched.get(message.ref.id);
        if (orphan === undefined) continue;
        watched.delete(message.ref.id);
        if (message.reason !== 'noconnection') this.#orphans.delete(orphan.key);
        else if (this.#orphans.has(orphan.key)) {
          if (unreached.size === 0) self.startTimer(pause, self.pid, null);
          unreached.add(orphan);
        }
      } else if (message instanceof Timeout) {
        pause = Math.min(pause * 2, MAX_PAUSE_MS);
        for (const orphan of unreached) kill(orphan);
        unreached.clear();
      }
    }
    this.#actor = undefined;
  }
}
