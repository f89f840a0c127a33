import type { Runtime } from '../actor/index.ts';
import type { Pid, Ref } from '../term/index.ts';
import { GroupJoin, GroupLeave } from './group-events.ts';

/** A monitor of one group, or of all groups (`group` undefined). */
interface Watch {
  readonly ref: Ref;
  readonly subscriber: Pid;
  readonly group: string | undefined;
  readonly forgetDeath: () => void;
}

/** Sends changes of groups to the actors that monitor them. A change costs O(its monitors). */
export class Watchers {
  readonly #runtime: Runtime;
  readonly #watches = new Map<number, Watch>();
  readonly #byGroup = new Map<string, Set<Watch>>();
  readonly #ofAll = new Set<Watch>();

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** The monitors, and the groups that have one. */
  get size(): number {
    return this.#watches.size + this.#byGroup.size;
  }

  /** @param subscriber a living actor of this node. */
  add(subscriber: Pid, group: string | undefined): Ref {
    const ref = this.#runtime.makeRef(subscriber);
    const forgetDeath = this.#runtime.onDeath(subscriber, () => void this.remove(ref));
    const watch: Watch = { ref, subscriber, group, forgetDeath };
    this.#watches.set(ref.id, watch);
    if (group === undefined) this.#ofAll.add(watch);
    else {
      const others = this.#byGroup.get(group);
      if (others === undefined) this.#byGroup.set(group, new Set([watch]));
      else others.add(watch);
    }
    return ref;
  }

  remove(ref: Ref): boolean {
    const watch = ref.nc === 0 ? this.#watches.get(ref.id) : undefined;
    if (watch === undefined) return false;
    this.#watches.delete(ref.id);
    watch.forgetDeath();
    if (watch.group === undefined) return this.#ofAll.delete(watch);
    const others = this.#byGroup.get(watch.group);
    others?.delete(watch);
    if (others?.size === 0) this.#byGroup.delete(watch.group);
    return true;
  }

  joined(group: string, pids: readonly Pid[]): void {
    this.#notify(group, pids, (ref, own) => new GroupJoin(ref, group, own));
  }

  left(group: string, pids: readonly Pid[]): void {
    this.#notify(group, pids, (ref, own) => new GroupLeave(ref, group, own));
  }

  close(): void {
    for (const { ref } of [...this.#watches.values()]) this.remove(ref);
  }

  /** Each subscriber gets its own copy of the list, which it may change. */
  #notify(
    group: string,
    pids: readonly Pid[],
    event: (ref: Ref, own: readonly Pid[]) => GroupJoin | GroupLeave,
  ): void {
    if (pids.length === 0) return;
    for (const watches of [this.#byGroup.get(group), this.#ofAll]) {
      for (const { ref, subscriber } of watches ?? [])
        this.#runtime.deliverSystem(subscriber, event(ref, [...pids]));
    }
  }
}
