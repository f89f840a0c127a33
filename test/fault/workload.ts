// What a node of the chaos run does all the time, and the books it keeps of it. Anything that breaks a rule becomes a
// line in `faults`, at once. A run has three parts: `start`; `settle`, after which nothing new is begun but everything
// that lives is kept; `finish`, which ends all that is left, so that the last notices come.
import { request } from '../../ts/actor/index.ts';
import * as snow from '../../ts/index.ts';
import type { Workbench } from '../support/cluster-node.ts';
import { randomFrom } from '../support/seed.ts';
import { Crowd } from './workload-crowd.ts';
import { Family } from './workload-family.ts';
import { Watchmen } from './workload-watchmen.ts';

export interface WorkloadOptions {
  /** All nodes of the cluster. */
  readonly nodes: readonly string[];
  readonly seed: number;
}

export type AnySelf = snow.Self<unknown>;
type Numbered = readonly [sender: string, number: number, filling?: Uint8Array];

const SENDERS = 2;
const CALLERS = 2;
const CALL_MS = 1500;

export class Workload {
  readonly bench: Workbench;
  readonly node: snow.Node;
  readonly peers: readonly string[];
  readonly random: () => number;
  readonly faults: string[] = [];
  /** How often each thing was done: a run in which nothing happens proves nothing. */
  readonly counts: Record<string, number> = {};
  isRunning = true;
  /** Loops that have not come to their end yet. */
  readonly #loops = new Map<snow.Pid, string>();
  readonly #last = new Map<string, number>();
  readonly watchmen: Watchmen;
  readonly family: Family;
  readonly crowd: Crowd;

  constructor(bench: Workbench, { nodes, seed }: WorkloadOptions) {
    this.bench = bench;
    this.node = bench.node;
    this.peers = nodes.filter((name) => name !== bench.node.name);
    this.random = randomFrom(seed);
    this.watchmen = new Watchmen(this);
    this.family = new Family(this);
    this.crowd = new Crowd(this);
  }

  start(): void {
    this.node.spawn((self: AnySelf) => this.#inbox(self));
    this.#serve();
    for (let index = 0; index < SENDERS; index++) this.loop('send', (self) => this.#send(self, index));
    for (let index = 0; index < CALLERS; index++) this.loop('call', (self) => this.#call(self));
    this.watchmen.start();
    this.family.start();
    this.crowd.start();
  }

  /** Resolves when nothing new is begun any more, and every answer that was waited for has come. */
  async settle(): Promise<void> {
    this.isRunning = false;
    const asked = { calls: 'outcomes', spawns: 'spawn outcomes', registrations: 'registration outcomes' };
    const open = (): string[] => [
      ...this.#loops.values(),
      ...Object.entries(asked)
        .filter(([kind, outcome]) => this.counts[kind] !== this.counts[outcome])
        .map(([kind]) => kind),
    ];
    await this.bench
      .until('the end of all', () => open().length === 0)
      .catch((error: Error) => {
        error.message += `: ${open().join(', ')} ${JSON.stringify(this.counts)}`;
        throw error;
      });
  }

  /** Ends whatever the workload has on this node; resolves when nobody here waits for anything. */
  async finish(): Promise<void> {
    this.watchmen.finish();
    this.family.finish();
    this.crowd.finish();
    await this.watchmen.finished();
  }

  /** Everything that must be empty at last. */
  leftovers(): Record<string, number> {
    const { runtime } = this.node;
    const sizes = {
      calls: runtime.calls.size,
      // Calls that nobody answers are forgotten some time after theirs is over.
      inboundCalls: runtime.inboundCalls.openCount,
      spawns: runtime.spawns.size,
      aliases: runtime.aliases.size,
      remoteLinks: runtime.links.remoteCount,
      remoteMonitors: runtime.monitors.remoteCount,
      remoteCalls: runtime.calls.remoteCount,
      remoteSpawns: runtime.spawns.size,
      remoteWatchers: runtime.monitors.watcherCount,
      sitters: this.family.sitters.size,
      names: this.crowd.names.names().length,
      groups: this.crowd.groups.which().length,
    };
    return Object.fromEntries(Object.entries(sizes).filter(([, size]) => size > 0));
  }

  /** Runs `turn` again and again in an actor of its own, with a short random pause, while the run lasts. */
  loop(what: string, turn: (self: AnySelf) => Promise<(self: AnySelf) => unknown>): void {
    const pid = this.node.spawn(async (self: AnySelf) => {
      self.trapExit(true);
      const step = await turn(self);
      while (this.isRunning) {
        await step(self);
        await self.sleep(1 + this.below(20));
      }
      self.exit('normal');
    });
    this.#loops.set(pid, what);
    this.node.runtime.onDeath(pid, (_pid, reason) => {
      this.#loops.delete(pid);
      if (reason !== 'normal')
        this.fault(`the loop ${what} ended: ${String(reason)} ${JSON.stringify(reason)}`);
    });
  }

  fault(what: string): void {
    if (this.faults.length < 50) this.faults.push(`${this.node.name}: ${what}`);
  }

  count(what: string): number {
    return (this.counts[what] = (this.counts[what] ?? 0) + 1);
  }

  pick<T>(all: readonly T[]): T {
    return all[this.below(all.length)] as T;
  }

  chance(probability: number): boolean {
    return this.random() < probability;
  }

  /** A whole number from 0 on. */
  below(limit: number): number {
    return Math.floor(this.random() * limit);
  }

  /** A PID in words that mean the same on all nodes. */
  wordsOf(pid: snow.Pid): string {
    return `${this.node.nodeOf(pid)} ${pid.local}`;
  }

  /** A number of a sender came: it is greater than those before (B4). */
  arrived(who: string, number: number, books: Map<string, number> = this.#last): void {
    const before = books.get(who) ?? 0;
    if (number <= before) this.fault(`number ${number} of ${who} came after ${before}`);
    books.set(who, number);
    this.count('received');
  }

  /** Who sends, told apart from the same one on an earlier incarnation. */
  senderName(kind: string): string {
    return `${kind} of ${this.node.name} ${this.node.incarnation}`;
  }

  async #inbox(self: AnySelf): Promise<void> {
    self.register('inbox');
    for (;;) {
      const [who, number] = (await self.receive()) as Numbered;
      this.arrived(who, number);
    }
  }

  /** Numbers to all peers, by name and by PID in turns. */
  async #send(self: AnySelf, index: number): Promise<() => void> {
    const who = this.senderName(`sender ${index}`);
    const pids = new Map<string, snow.Pid>();
    let number = 0;
    return () => {
      for (const peer of this.peers) {
        const pid = this.chance(0.5) ? pids.get(peer) : undefined;
        if (this.chance(0.02)) this.#ask(peer, 'inbox').then((it) => pids.set(peer, it as snow.Pid), noop);
        const filling = this.chance(0.01) ? [new Uint8Array(200_000)] : [];
        for (let burst = 0; burst < 3; burst++)
          self.send(pid ?? { name: 'inbox', node: peer }, [who, ++number, ...filling] as never);
        this.count('sent');
      }
    };
  }

  /** Calls from within an actor, and from outside beside it. */
  async #call(self: AnySelf): Promise<() => Promise<void>> {
    return async () => {
      const tag = this.pick(['echo', 'echo', 'echo', 'slow', 'never', 'crash']);
      const asking = this.#ask(this.pick(this.peers), tag).catch(noop);
      await this.#ask(this.pick(this.peers), this.pick(['echo', 'slow']), self).catch(noop);
      if (this.chance(0.3)) await asking;
    };
  }

  async #ask(node: string, tag: string, self?: AnySelf): Promise<unknown> {
    const number = this.count('calls');
    const to = { name: 'server', node };
    const options = { timeout: CALL_MS };
    let outcomes = 0;
    const once = (): void => {
      this.count('outcomes');
      if (++outcomes > 1) this.fault(`call ${number} had ${outcomes} outcomes`);
    };
    const asking =
      self === undefined
        ? request(this.node, to, tag, [number], options)
        : request(self, to, tag, [number], options);
    return asking.then(
      (value) => {
        once();
        if (tag !== 'inbox' && value !== number) this.fault(`call ${number} got ${String(value)}`);
        return value;
      },
      (error: unknown) => {
        once();
        const state = error instanceof snow.CallError ? error.state : String(error);
        if (!['timeout', 'noproc', 'exit', 'nodedown', 'overload'].includes(state))
          this.fault(`call ${tag} failed: ${state}`);
        this.count(`call ${state}`);
        throw error;
      },
    );
  }

  /** Answers calls; one that crashes has a successor at once. */
  #serve(): void {
    const pid = this.node.spawn(async (self: AnySelf) => {
      self.register('server');
      for (;;) {
        const call = await self.receive();
        if (!(call instanceof snow.Call)) continue;
        const { tag, args } = call;
        if (tag === 'crash') self.exit('normal');
        if (tag === 'never') continue;
        if (tag === 'inbox') self.runtime.replies.succeed(call, self.whereis('inbox'));
        else if (tag === 'slow')
          self.after(this.below(400), () => void self.runtime.replies.succeed(call, args[0]));
        else self.runtime.replies.succeed(call, args[0]);
      }
    });
    this.node.runtime.onDeath(pid, () => !this.node.runtime.isStopped && setImmediate(() => this.#serve()));
  }
}

const noop = (): void => {};

/** Exposes what others spawn here, and starts. */
export function startWorkload(bench: Workbench, options: WorkloadOptions): Workload {
  const workload = new Workload(bench, options);
  workload.start();
  return workload;
}
