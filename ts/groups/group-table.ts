import type { Pid } from '../term/index.ts';

/** One actor in one group. */
interface Membership {
  readonly pid: Pid;
  /** How often it joined: it has to leave as often (R1). */
  count: number;
}

/** The members of one group on one node. Joining and leaving are O(1). */
export class Roster {
  /** By local id: all actors are of one node. */
  readonly #memberships = new Map<number, Membership>();
  /** Cached result of `actors`; undefined after a change. */
  #actors: readonly Pid[] | undefined;

  /** The number of different actors. */
  get size(): number {
    return this.#memberships.size;
  }

  add(pid: Pid): void {
    const membership = this.#memberships.get(pid.local);
    if (membership !== undefined) return void membership.count++;
    this.#memberships.set(pid.local, { pid, count: 1 });
    this.#actors = undefined;
  }

  /** Returns false when the actor is not a member. */
  remove(pid: Pid): boolean {
    const membership = this.#memberships.get(pid.local);
    if (membership === undefined) return false;
    if (--membership.count > 0) return true;
    this.#memberships.delete(pid.local);
    this.#actors = undefined;
    return true;
  }

  /** Each actor once. Later changes do not alter the list. O(1) when nothing has changed since the last call, else O(actors). */
  actors(): readonly Pid[] {
    this.#actors ??= Array.from(this.#memberships.values(), ({ pid }) => pid);
    return this.#actors;
  }

  /** Each actor once for every time it joined, added to `into`. */
  list(into: Pid[] = []): Pid[] {
    for (const { pid, count } of this.#memberships.values()) for (let n = 0; n < count; n++) into.push(pid);
    return into;
  }
}

/** The memberships of the actors of one node: this one, or a peer from the up to the down of its session. */
export class Side {
  /** Groups with members there, by name. */
  readonly groups: Map<string, Roster> = new Map();
  /** The number of memberships; an actor that joined a group twice counts twice. */
  size = 0;
}

/** All groups, by name and by side. A group without members does not exist (R3). */
export class GroupTable<S extends Side> {
  /** The sides with members in a group. */
  readonly #sides = new Map<string, Set<S>>();

  get size(): number {
    return this.#sides.size;
  }

  names(): IterableIterator<string> {
    return this.#sides.keys();
  }

  sides(group: string): Iterable<S> {
    return this.#sides.get(group) ?? [];
  }

  /** All members. O(members). */
  members(group: string): Pid[] {
    const all: Pid[] = [];
    for (const side of this.sides(group)) side.groups.get(group)?.list(all);
    return all;
  }

  /** Adds memberships. O(pids). */
  join(side: S, group: string, pids: readonly Pid[]): void {
    if (pids.length === 0) return;
    const roster = side.groups.get(group) ?? this.#open(side, group);
    for (const pid of pids) roster.add(pid);
    side.size += pids.length;
  }

  /** Removes memberships; returns those that existed. O(pids). */
  leave(side: S, group: string, pids: readonly Pid[]): Pid[] {
    const roster = side.groups.get(group);
    if (roster === undefined) return [];
    const left = pids.filter((pid) => roster.remove(pid));
    side.size -= left.length;
    if (roster.size === 0) this.#forget(side, group);
    return left;
  }

  /** Removes a side; returns its memberships. O(memberships). */
  drop(side: S): [group: string, pids: Pid[]][] {
    const had = [...side.groups].map(([group, roster]): [string, Pid[]] => [group, roster.list()]);
    for (const [group] of had) this.#forget(side, group);
    side.size = 0;
    return had;
  }

  #open(side: S, group: string): Roster {
    const roster = new Roster();
    side.groups.set(group, roster);
    const sides = this.#sides.get(group);
    if (sides === undefined) this.#sides.set(group, new Set([side]));
    else sides.add(side);
    return roster;
  }

  #forget(side: S, group: string): void {
    side.groups.delete(group);
    const sides = this.#sides.get(group);
    if (sides?.delete(side) && sides.size === 0) this.#sides.delete(group);
  }
}
