// The names of the actors of this node. Only this node adds and removes them, and informs the members.
import type { Runtime } from '../actor/index.ts';
import type { Pid } from '../term/index.ts';
import type { Liveness } from './liveness.ts';
import type { OwnNode } from './member.ts';
import type { MemberWaits } from './member-waits.ts';
import type { Members } from './members.ts';
import type { Entry, NameTable } from './name-table.ts';

interface Watched {
  readonly names: Set<string>;
  readonly unwatch: () => void;
}

export interface OwnEntriesParts {
  readonly runtime: Runtime;
  readonly own: OwnNode;
  readonly table: NameTable;
  readonly members: Members;
  readonly acknowledgements: MemberWaits;
  readonly liveness: Liveness;
}

export class OwnEntries {
  readonly #parts: OwnEntriesParts;
  readonly #died: (pid: Pid) => void;
  readonly #byActor = new Map<number, Watched>();

  /** @param died is called when a watched actor dies, before its names are removed. */
  constructor(parts: OwnEntriesParts, died: (pid: Pid) => void) {
    this.#parts = parts;
    this.#died = died;
  }

  /** Watches an actor until its death. One watch per actor, however many names it has. */
  watch(pid: Pid): void {
    if (this.#byActor.has(pid.local)) return;
    const names = new Set<string>();
    const unwatch = this.#parts.runtime.onDeath(pid, () => {
      this.#byActor.delete(pid.local);
      this.#died(pid);
      for (const name of names) {
        const entry = this.#parts.own.names.get(name);
        if (entry?.pid.equals(pid)) this.drop(entry);
      }
    });
    this.#byActor.set(pid.local, { names, unwatch });
  }

  /** Gives a watched actor a name. Another actor of this node that had it loses it. */
  add({ name, pid }: Entry): void {
    const before = this.#parts.own.names.get(name);
    if (before !== undefined) this.forget(before);
    this.#byActor.get(pid.local)?.names.add(name);
  }

  /** The death of the actor does not remove that name any more. */
  forget({ name, pid }: Entry): void {
    this.#byActor.get(pid.local)?.names.delete(name);
  }

  /**
   * Removes a name of this node everywhere.
   *
   * @param done is called once all members that answer have removed it.
   */
  drop(entry: Entry, done?: () => void): void {
    const { own, table, members, acknowledgements, liveness } = this.#parts;
    table.remove(entry);
    this.forget(entry);
    const id = done === undefined ? 0 : own.nextId();
    members.tellAll(['drop', id, entry.name, entry.stamp]);
    if (done === undefined) return;
    liveness.begin();
    acknowledgements.begin(id, members.answering(), done);
  }

  close(): void {
    for (const { unwatch } of this.#byActor.values()) unwatch();
    this.#byActor.clear();
  }
}
