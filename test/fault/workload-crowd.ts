// Global names and groups of the chaos run.
import * as snow from '../../ts/index.ts';
import type { AnySelf, Workload } from './workload.ts';

const NAMES = 30;
const GROUPS = 8;
const MAX_MEMBERS = 25;

export class Crowd {
  readonly names: snow.GlobalNames;
  readonly groups: snow.Groups;
  /** Living actors here that were told they have a name. */
  readonly holders = new Map<string, snow.Pid>();
  readonly #members = new Set<snow.Pid>();
  readonly #work: Workload;

  constructor(work: Workload) {
    this.#work = work;
    this.names = snow.startGlobalNames(work.node);
    this.groups = snow.startGroups(work.node);
  }

  start(): void {
    for (let index = 0; index < 3; index++) this.#work.loop('register', async () => () => this.#register());
    this.#work.loop('meet', async () => () => this.#meet());
    this.#work.loop('broadcast', (self) => this.#broadcast(self));
  }

  finish(): void {
    for (const pid of [...this.holders.values(), ...this.#members]) this.#work.node.sendExit(pid, 'kill');
  }

  /** Who has which name, in words that mean the same everywhere. */
  namesKnown(): Record<string, string> {
    const known = this.names.names().sort();
    return Object.fromEntries(known.map((name) => [name, this.#words(this.names.whereis(name) as snow.Pid)]));
  }

  namesHeld(): Record<string, string> {
    return Object.fromEntries([...this.holders].map(([name, pid]) => [name, this.#words(pid)]));
  }

  members(where: 'members' | 'localMembers'): Record<string, string[]> {
    const all: Record<string, string[]> = {};
    for (let index = 0; index < GROUPS; index++) {
      all[`group ${index}`] = this.groups[where](`group ${index}`)
        .map((pid) => this.#words(pid))
        .sort();
    }
    return all;
  }

  #words(pid: snow.Pid<never>): string {
    return this.#work.wordsOf(pid as snow.Pid);
  }

  async #register(): Promise<void> {
    const work = this.#work;
    const { node } = work;
    const name = `name ${work.below(NAMES)}`;
    const mine = this.holders.get(name);
    if (mine !== undefined) {
      this.holders.delete(name);
      // Anybody may take a name from anybody (Q4); here each frees only what is its own.
      if (work.chance(0.5) && this.names.whereis(name)?.equals(mine)) await this.names.unregister(name);
      return node.sendExit(mine, 'kill');
    }
    if (this.names.whereis(name) !== undefined && work.chance(0.8)) return;
    const pid = node.spawn(async (self: AnySelf) => void (await self.receive()));
    work.count('registrations');
    const isRegistered = await this.names.register(name, pid);
    work.count('registration outcomes');
    if (!isRegistered) return node.sendExit(pid, 'kill');
    work.count('registered');
    if (!node.runtime.isAlive(pid)) return;
    this.holders.set(name, pid);
    node.runtime.onDeath(pid, () => {
      if (this.holders.get(name) === pid) this.holders.delete(name);
    });
  }

  #meet(): void {
    const work = this.#work;
    if (this.#members.size < MAX_MEMBERS) {
      const pid = work.node.spawn((self: AnySelf) => this.#listen(self));
      this.#members.add(pid);
      work.node.runtime.onDeath(pid, () => this.#members.delete(pid));
    }
    const member = work.pick([...this.#members]);
    const group = `group ${work.below(GROUPS)}`;
    if (work.chance(0.6)) this.groups.join(group, member as snow.Pid<never>);
    else if (work.chance(0.7)) this.groups.leave(group, member as snow.Pid<never>);
    else work.node.sendExit(member, 'kill');
    work.count('joins');
  }

  /** A member: the numbers of one broadcaster to one group only rise (R7). */
  async #listen(self: AnySelf): Promise<void> {
    const last = new Map<string, number>();
    for (;;) {
      const [who, number] = (await self.receive()) as [string, number];
      this.#work.arrived(who, number, last);
    }
  }

  async #broadcast(self: AnySelf): Promise<() => void> {
    const who = this.#work.senderName('broadcaster');
    let number = 0;
    return () => {
      const index = this.#work.below(GROUPS);
      this.groups.broadcast(`group ${index}`, [`${who} to ${index}`, ++number], self);
    };
  }
}
