import { Down, type Runtime, type Self, Timeout, type TimerRef } from '../actor/index.ts';
import { OldestFirst } from '../collections/index.ts';
import { Pid } from '../term/index.ts';

/** Orphans that a node keeps. Above it, the oldest is dropped. */
const MAX_ORPHANS = 10_000;
/** Pauses before the unreached orphans of a node are killed again: the first and the longest. */
const FIRST_PAUSE_MS = 1000;
const MAX_PAUSE_MS = 60_000;

const killers = new WeakMap<Runtime, OrphanKiller>();

/** The orphans on one node. */
interface LostNode {
  /** By the key of their PID. */
  readonly orphans: Map<string, Pid>;
  /** Those that the last attempt did not reach. */
  readonly unreached: Map<string, Pid>;
  /** How many orphans it has had. */
  count: number;
  /** The orphans that each supervisor has killed before a start: the first `count`, over `route`. */
  readonly killedBy: WeakMap<Self, { readonly count: number; readonly route: WeakRef<object> }>;
  /** The pause before the next attempt, and its timer. */
  pauseMs: number;
  timer: TimerRef | undefined;
  /** It is not followed any more. */
  readonly unfollow: () => void;
}

/**
 * Kills orphans: children whose node was lost and that may still run on the other side of a split, as those that trap exits do. A
 * replacement runs already, and there must not be two (S3). Each orphan is sent `kill` when its node connects, and after growing pauses,
 * until it is known to have ended: it was killed, or its node was restarted.
 *
 * There is one per runtime. It has an actor of its own while there are orphans, so it outlives the supervisors that lost them.
 */
export class OrphanKiller {
  readonly #runtime: Runtime;
  /** The name of the node of each orphan, by the key of its PID; the one that was lost first is first. */
  readonly #orphans = new OldestFirst<string, string>();
  readonly #nodes = new Map<string, LostNode>();
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

  /** Adds an orphan, and kills it as soon as its node can be reached. */
  add(orphan: Pid): void {
    const { key } = orphan;
    if (this.#orphans.size >= MAX_ORPHANS) this.#forget(this.#orphans.oldestKey() as string);
    const name = this.#runtime.nodeOf(orphan) ?? '';
    this.#orphans.set(key, name);
    const node = this.#nodes.get(name) ?? this.#lost(name);
    node.orphans.set(key, orphan);
    node.count++;
    if (this.#runtime.isStopped) return;
    this.#actor ??= this.#runtime.spawnWith({ label: 'snowmesh orphan killer' }, (self: Self) =>
      this.#run(self),
    );
    this.#runtime.send<unknown>(this.#actor, orphan);
  }

  /**
   * Kills all orphans on `node` before `supervisor` starts a child there: the kills arrive before the start (B1). Those that it has
   * killed over the present connection are not killed again. O(orphans) once, then O(1) until there are more or the connection is lost.
   */
  killOn(supervisor: Self, node: string): void {
    const lost = this.#nodes.get(node);
    if (lost === undefined) return;
    const { remote } = this.#runtime;
    const killed = lost.killedBy.get(supervisor);
    const route = remote.existingRoute(node);
    if (route !== undefined && killed?.count === lost.count && killed.route.deref() === route) return;
    for (const orphan of lost.orphans.values()) supervisor.sendExit(orphan, 'kill');
    const used = remote.existingRoute(node); // the kills may have begun to connect
    if (used !== undefined) lost.killedBy.set(supervisor, { count: lost.count, route: new WeakRef(used) });
  }

  #lost(name: string): LostNode {
    const node: LostNode = {
      orphans: new Map(),
      unreached: new Map(),
      count: 0,
      killedBy: new WeakMap(),
      pauseMs: FIRST_PAUSE_MS,
      timer: undefined,
      unfollow: this.#runtime.arrivals.on(name, () => {
        if (this.#actor !== undefined) this.#runtime.send<unknown>(this.#actor, name);
      }),
    };
    this.#nodes.set(name, node);
    return node;
  }

  #nodeOf(orphan: Pid): LostNode | undefined {
    const name = this.#orphans.get(orphan.key);
    return name === undefined ? undefined : this.#nodes.get(name);
  }

  #forget(key: string): void {
    const name = this.#orphans.get(key);
    const node = name === undefined ? undefined : this.#nodes.get(name);
    this.#orphans.delete(key);
    if (name === undefined || node === undefined) return;
    node.orphans.delete(key);
    node.unreached.delete(key);
    if (node.orphans.size > 0) return;
    node.unfollow();
    this.#nodes.delete(name);
  }

  async #run(self: Self): Promise<void> {
    const watched = new Map<number, Pid>();
    const pauses = new Map<TimerRef, LostNode>();
    // A kill may have been lost with a connection, so each monitor is followed by a kill.
    const kill = (orphan: Pid): void => {
      watched.set(self.monitor(orphan).id, orphan);
      self.sendExit(orphan, 'kill');
    };
    const killUnreached = (node: LostNode): void => {
      const orphans = [...node.unreached.values()];
      node.unreached.clear();
      for (const orphan of orphans) kill(orphan);
    };
    const endPause = (node: LostNode): void => {
      if (node.timer === undefined) return;
      self.cancelTimer(node.timer);
      pauses.delete(node.timer);
      node.timer = undefined;
    };
    const retryLater = (node: LostNode, orphan: Pid): void => {
      node.unreached.set(orphan.key, orphan);
      if (node.timer !== undefined) return;
      node.timer = self.startTimer(node.pauseMs, self.pid, null);
      node.pauseMs = Math.min(node.pauseMs * 2, MAX_PAUSE_MS);
      pauses.set(node.timer, node);
    };
    while (this.#orphans.size > 0) {
      const message = await self.receive();
      if (message instanceof Pid) {
        const node = this.#nodeOf(message);
        if (node === undefined) continue; // dropped meanwhile
        node.pauseMs = FIRST_PAUSE_MS;
        kill(message);
      } else if (message instanceof Down) {
        const orphan = watched.get(message.ref.id);
        if (orphan === undefined) continue;
        watched.delete(message.ref.id);
        const node = this.#nodeOf(orphan);
        if (message.reason !== 'noconnection') this.#forget(orphan.key);
        else if (node !== undefined) retryLater(node, orphan);
      } else if (message instanceof Timeout) {
        const node = pauses.get(message.ref);
        if (node === undefined) continue;
        endPause(node);
        killUnreached(node);
      } else if (typeof message === 'string') {
        // The node has connected. If this attempt fails as well, the next one comes after a short pause.
        const node = this.#nodes.get(message);
        if (node === undefined) continue;
        endPause(node);
        node.pauseMs = FIRST_PAUSE_MS;
        killUnreached(node);
      }
    }
    this.#actor = undefined;
  }
}
