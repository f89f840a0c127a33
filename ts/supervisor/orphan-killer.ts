import { Down, type Runtime, type Self, Timeout } from '../actor/index.ts';
import { OldestFirst } from '../collections/index.ts';
import { Pid } from '../term/index.ts';

/** Orphans that a node keeps. Above it, the oldest is dropped. */
const MAX_ORPHANS = 10_000;
/** Pauses before unreachable orphans are killed again: the first and the longest. */
const FIRST_PAUSE_MS = 1000;
const MAX_PAUSE_MS = 60_000;

const killers = new WeakMap<Runtime, OrphanKiller>();

/**
 * Kills orphans: children whose node was lost and that may still run on the other side of a split, as those that trap exits do. A
 * replacement runs already, and there must not be two (S3). Each orphan is sent `kill` until it is known to have ended: it was killed, or
 * its node was restarted.
 *
 * There is one per runtime. It has an actor of its own while there are orphans, so it outlives the supervisors that lost them.
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

  /** Adds an orphan. `supervisor` sends the first `kill` itself, so that it arrives before what it starts on that node later (B1). */
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

  /** Kills all orphans on `node` before `supervisor` starts a child there: the kills arrive before the start (B1). O(orphans). */
  killOn(supervisor: Self, node: string): void {
    for (const orphan of this.#orphans.values())
      if (this.#runtime.nodeOf(orphan) === node) supervisor.sendExit(orphan, 'kill');
  }

  async #run(self: Self): Promise<void> {
    const watched = new Map<number, Pid>();
    // A kill may have been lost with a connection, so each monitor is followed by a kill.
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
