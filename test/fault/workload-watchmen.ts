// Monitors of the chaos run: each has exactly one DOWN, or none when it was taken back; nodes go up and down in turns.
import * as snow from '../../ts/index.ts';
import type { AnySelf, Workload } from './workload.ts';

/** Monitors that one watchman keeps at most. */
const MAX_OPEN = 200;

export class Watchmen {
  readonly #work: Workload;
  /** Monitors without a DOWN yet. */
  readonly open = new Map<string, snow.Ref>();
  readonly #up = new Set<string>();
  #watchman: snow.Pid | undefined;
  #target: snow.Pid | undefined;
  #isFinished = false;

  constructor(work: Workload) {
    this.#work = work;
  }

  start(): void {
    this.#newTarget();
    this.#work.node.spawn((self: AnySelf) => this.#watch(self));
    this.#work.loop('watch nodes', (self) => this.#watchNodes(self));
    this.#work.loop('watch briefly', async () => () => this.#brief());
  }

  /** The targets of this node end, and no new ones come. */
  finish(): void {
    this.#isFinished = true;
    if (this.#target !== undefined) this.#work.node.sendExit(this.#target, 'kill');
  }

  /** Resolves when every monitor of this node had its DOWN. */
  async finished(): Promise<void> {
    await this.#work.bench.until('a DOWN for every monitor', () => this.open.size === 0);
    if (this.#watchman !== undefined) this.#work.node.sendExit(this.#watchman, 'kill');
  }

  /** What others watch: it ends now and then, and has a successor. */
  #newTarget(): void {
    const { node } = this.#work;
    const pid = node.spawn(async (self: AnySelf) => {
      self.register('target');
      await self.receive(undefined, {
        timeout: this.#work.isRunning ? 50 + this.#work.below(600) : Infinity,
      });
      if (!this.#work.isRunning) await self.receive();
    });
    this.#target = pid;
    node.runtime.onDeath(pid, () => {
      if (!this.#isFinished && !node.runtime.isStopped) setImmediate(() => this.#newTarget());
    });
  }

  async #watch(self: AnySelf): Promise<void> {
    const work = this.#work;
    this.#watchman = self.pid;
    for (;;) {
      if (work.isRunning) this.#change(self);
      const message = await self.receive(undefined, { timeout: 10 });
      if (!(message instanceof snow.Down)) continue;
      if (!this.open.delete(message.ref.key))
        work.fault(`a second or unasked DOWN: ${String(message.reason)}`);
      work.count(`DOWN ${String(message.reason)}`);
      work.count('DOWN');
    }
  }

  #change(self: AnySelf): void {
    const work = this.#work;
    const mayAdd = this.open.size < MAX_OPEN;
    if (mayAdd && work.chance(0.7)) {
      const ref = self.monitor({ name: 'target', node: work.pick(work.peers) });
      this.open.set(ref.key, ref);
      work.count('monitors');
    }
    if (mayAdd && !work.chance(0.2)) return;
    const [first] = this.open.entries();
    if (first === undefined) return;
    // D7: true: no DOWN can be found any more; false: flushed.
    self.demonitor(first[1], { flush: true });
    this.open.delete(first[0]);
    work.count('demonitors');
  }

  /** Watchers that die at once: nothing of them may stay on the other node (D9). */
  #brief(): void {
    const { node, peers } = this.#work;
    node.spawn(async (self: AnySelf) => {
      for (const peer of peers) self.monitor({ name: this.#work.pick(['target', 'inbox']), node: peer });
      await self.sleep(this.#work.below(5));
    });
  }

  /** L5: up and down in turns, for each node. */
  async #watchNodes(self: AnySelf): Promise<() => Promise<void>> {
    const { node } = this.#work;
    for (const peer of node.nodes()) this.#up.add(peer);
    node.monitorNodes(self.pid);
    return async () => {
      const message = await self.receive(undefined, { timeout: 20 });
      if (message instanceof snow.NodeUp) {
        if (this.#up.has(message.node)) this.#work.fault(`${message.node} is up twice`);
        this.#up.add(message.node);
      } else if (message instanceof snow.NodeDown) {
        if (!this.#up.delete(message.node)) this.#work.fault(`${message.node} is down twice`);
        this.#work.count(`nodedown ${message.cause}`);
      }
    };
  }
}
