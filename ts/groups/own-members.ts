import type { Runtime } from '../actor/index.ts';
import type { Pid } from '../term/index.ts';

interface OwnMember {
  readonly pid: Pid;
  /** How often it joined each group. */
  readonly counts: Map<string, number>;
  readonly forgetDeath: () => void;
}

/** The groups of each actor of this node, which it leaves when it dies. */
export class OwnMembers {
  readonly #runtime: Runtime;
  readonly #members = new Map<number, OwnMember>();
  readonly #died: (pid: Pid, counts: ReadonlyMap<string, number>) => void;

  /** @param died is called when an actor that was in a group dies, after it was removed here. */
  constructor(runtime: Runtime, died: (pid: Pid, counts: ReadonlyMap<string, number>) => void) {
    this.#runtime = runtime;
    this.#died = died;
  }

  /** @param pid a living actor of this node. */
  add(pid: Pid, group: string): void {
    const { counts } = this.#members.get(pid.local) ?? this.#watch(pid);
    counts.set(group, (counts.get(group) ?? 0) + 1);
  }

  remove(pid: Pid, group: string): void {
    const member = this.#members.get(pid.local);
    const count = member?.counts.get(group);
    if (member === undefined || count === undefined) return;
    if (count > 1) return void member.counts.set(group, count - 1);
    member.counts.delete(group);
    if (member.counts.size > 0) return;
    this.#members.delete(pid.local);
    member.forgetDeath();
  }

  close(): void {
    for (const { forgetDeath } of this.#members.values()) forgetDeath();
    this.#members.clear();
  }

  #watch(pid: Pid): OwnMember {
    const counts = new Map<string, number>();
    const forgetDeath = this.#runtime.onDeath(pid, () => {
      this.#members.delete(pid.local);
      this.#died(pid, counts);
    });
    const member = { pid, counts, forgetDeath };
    this.#members.set(pid.local, member);
    return member;
  }
}
