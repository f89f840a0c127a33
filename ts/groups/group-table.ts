import { SeededMap } from '../collections/index.ts';
import type { Work } from '../peer/index.ts';
import type { Pid } from '../term/index.ts';

/** One actor in one group. */
interface Membership {
  readonly pid: Pid;
  /** How often it joined: it has to leave as often (R1). */
  count: number;
}

/** The members of one group on one node. Joining and leaving are O(1). */
export class Roster {
  /** Of two groups of a side the one that was opened later has the greater number, and comes later in `Side.groups`. */
  readonly number: number;
  /** By local id: all actors are of one node. */
  readonly #memberships = new SeededMap<Membership>();
  /** Cached result of `actors`; undefined after a change. */
  #actors: readonly Pid[] | undefined;

  constructor(number: number) {
    this.number = number;
  }

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
  groups: Map<string, Roster> = new Map();
  /** The number of memberships; an actor that joined a group twice counts twice. */
  size = 0;
  /** How many groups got their first member there. */
  opened = 0;
}

/** What a side had when it was dropped, and what is not removed from the table yet. */
interface Dropped<S> {
  readonly side: S;
  readonly groups: Map<string, Roster>;
}

/**
 * All groups, by name and by side. A group without members does not exist (R3).
 *
 * The memberships of a side that was dropped are removed step by step. No method returns them meanwhile, and before a group changes, they are
 * removed from it: what is told of a group is told in order.
 */
export class GroupTable<S extends Side> {
  /** The sides with members in a group, and those that were dropped since. */
  readonly #sides = new Map<string, Set<S>>();
  readonly #dropped = new Set<Dropped<S>>();
  readonly #left: (group: string, pids: readonly Pid[]) => void;

  /** @param left is called with the memberships of a dropped side in a group when they are removed. */
  constructor(left: (group: string, pids: readonly Pid[]) => void) {
    this.#left = left;
  }

  /** The number of groups, with those in which only dropped sides have members. */
  get size(): number {
    return this.#sides.size;
  }

  /** All groups, also those in which only dropped sides have members. */
  names(): IterableIterator<string> {
    return this.#sides.keys();
  }

  /** The number of different actors in a group. O(nodes with members). */
  count(group: string): number {
    let count = 0;
    for (const side of this.sides(group)) count += side.groups.get(group)?.size ?? 0;
    return count;
  }

  /** The sides with members in a group. */
  *sides(group: string): IterableIterator<S> {
    for (const side of this.#sides.get(group) ?? []) if (side.groups.has(group)) yield side;
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
    this.settle(group);
    const roster = side.groups.get(group) ?? this.#open(side, group);
    for (const pid of pids) roster.add(pid);
    side.size += pids.length;
  }

  /** Removes memberships; returns those that existed. O(pids). */
  leave(side: S, group: string, pids: readonly Pid[]): Pid[] {
    this.settle(group);
    const roster = side.groups.get(group);
    if (roster === undefined) return [];
    const left = pids.filter((pid) => roster.remove(pid));
    side.size -= left.length;
    if (roster.size > 0) return left;
    side.groups.delete(group);
    this.#forget(side, group);
    return left;
  }

  /** Drops all memberships of a side: from now on it has none. The result removes them from the table, a group at a time. */
  drop(side: S): Work {
    const dropped = { side, groups: side.groups };
    side.groups = new Map();
    side.size = 0;
    this.#dropped.add(dropped);
    return this.#removing(dropped);
  }

  /** Removes what dropped sides had in a group. O(dropped sides + their members). */
  settle(group: string): void {
    for (const dropped of this.#dropped) this.#remove(dropped, group);
  }

  *#removing(dropped: Dropped<S>): Generator<number, void> {
    for (const group of dropped.groups.keys()) yield this.#remove(dropped, group);
    this.#dropped.delete(dropped);
  }

  /** Returns how many memberships it has removed. */
  #remove({ side, groups }: Dropped<S>, group: string): number {
    const roster = groups.get(group);
    if (roster === undefined) return 0;
    groups.delete(group);
    this.#forget(side, group);
    const pids = roster.list();
    this.#left(group, pids);
    return pids.length;
  }

  #open(side: S, group: string): Roster {
    const roster = new Roster(++side.opened);
    side.groups.set(group, roster);
    const sides = this.#sides.get(group);
    if (sides === undefined) this.#sides.set(group, new Set([side]));
    else sides.add(side);
    return roster;
  }

  #forget(side: S, group: string): void {
    const sides = this.#sides.get(group);
    if (sides?.delete(side) && sides.size === 0) this.#sides.delete(group);
  }
}
