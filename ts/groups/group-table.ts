import type { Pid } from '../term/index.ts';

/** One actor in one group. */
interface Seat {
  readonly pid: Pid;
  /** How often it joined (R1). */
  count: number;
}

/** The members of one group on one node. Joining, leaving: O(1). */
export class Roster {
  /** Keyed by local id: they all live on one node. */
  readonly #seats = new Map<number, Seat>();
  /** Its actors, until one comes or goes. */
  #actors: readonly Pid[] | undefined;

  /** Different actors. */
  get size(): number {
    return this.#seats.size;
  }

  add(pid: Pid): void {
    const seat = this.#seats.get(pid.local);
    if (seat !== undefined) return void seat.count++;
    this.#seats.set(pid.local, { pid, count: 1 });
    this.#actors = undefined;
  }

  /** False: it is no member. */
  remove(pid: Pid): boolean {
    const seat = this.#seats.get(pid.local);
    if (seat === undefined) return false;
    if (--seat.count > 0) return true;
    this.#seats.delete(pid.local);
    this.#actors = undefined;
    return true;
  }

  /** Each actor once; the list stays as it is when others come and go. O(1) until then, else O(actors). */
  actors(): readonly Pid[] {
    this.#actors ??= Array.from(this.#seats.values(), ({ pid }) => pid);
    return this.#actors;
  }

  /** Each actor once for every time it joined, added to `into`. */
  list(into: Pid[] = []): Pid[] {
    for (const { pid, count } of this.#seats.values()) for (let n = 0; n < count; n++) into.push(pid);
    return into;
  }
}

/** A node's actors in groups: this node, or a peer from the up to the down of its session. */
export class Side {
  /** Groups with members there, by name. */
  readonly groups: Map<string, Roster> = new Map();
  /** Memberships, double ones counted twice. */
  size = 0;
}

/** All groups, by name and by side. A group without members is nowhere (R3). */
export class GroupTable<S extends Side> {
  /** Who has members in a group. */
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
    const roster = side.groups.get(group) ?? this.#seat(side, group);
    for (const pid of pids) roster.add(pid);
    side.size += pids.length;
  }

  /** Removes memberships; gives those that there were. O(pids). */
  leave(side: S, group: string, pids: readonly Pid[]): Pid[] {
    const roster = side.groups.get(group);
    if (roster === undefined) return [];
    const left = pids.filter((pid) => roster.remove(pid));
    side.size -= left.length;
    if (roster.size === 0) this.#forget(side, group);
    return left;
  }

  /** Removes a side; gives what it had. O(memberships). */
  drop(side: S): [group: string, pids: Pid[]][] {
    const had = [...side.groups].map(([group, roster]): [string, Pid[]] => [group, roster.list()]);
    for (const [group] of had) this.#forget(side, group);
    side.size = 0;
    return had;
  }

  #seat(side: S, group: string): Roster {
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
