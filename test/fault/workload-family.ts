// Links of the chaos run: children on other nodes, linked to parents here. Both ends always come to agree who is linked, no
// child survives its parent, and no EXIT comes twice.
import * as snow from '../../ts/index.ts';
import type { AnySelf, Workload } from './workload.ts';

/** Children of one parent at a time. */
const MAX_CHILDREN = 40;

export class Family {
  readonly #work: Workload;
  /** Children of others that live here, with the node and incarnation of the parent. */
  readonly sitters = new Map<number, string>();
  /** Our own that live elsewhere, by key. */
  readonly children = new Map<string, snow.Pid>();
  /** Our own that were unlinked: what kills them may be lost with a connection, and then nothing else ends them (L5). */
  readonly #away: snow.Pid[] = [];
  readonly #spec: snow.ActorSpec;
  readonly #brief: snow.ActorSpec;
  #parent: snow.Pid | undefined;

  constructor(work: Workload) {
    this.#work = work;
    this.#spec = snow.defineActor('sitter', (self: AnySelf, parent: string) => this.#sit(self, parent));
    this.#brief = snow.defineActor('brief', async () => {});
    work.node.expose(this.#spec);
    work.node.expose(this.#brief);
  }

  start(): void {
    const { node } = this.#work;
    this.#parent = node.spawn((self: AnySelf) => this.#raise(self));
    this.#work.loop('spawn others', (self) => this.#spawnOthers(self));
  }

  /** Our parent ends, and its children on all nodes have to. */
  finish(): void {
    if (this.#parent !== undefined) this.#work.node.sendExit(this.#parent, 'kill');
  }

  /** Our children elsewhere, as we have them, and children of others here, as they are: by the parent's incarnation. */
  books(): { mine: Record<string, string[]>; here: Record<string, string[]> } {
    const mine: Record<string, string[]> = {};
    for (const pid of this.children.values())
      (mine[this.#work.node.nodeOf(pid) ?? '?'] ??= []).push(String(pid.local));
    const here: Record<string, string[]> = {};
    for (const [local, parent] of this.sitters) (here[parent] ??= []).push(String(local));
    for (const each of [...Object.values(mine), ...Object.values(here)]) each.sort();
    return { mine, here };
  }

  async #sit(self: AnySelf, parent: string): Promise<void> {
    const { local } = self.pid;
    this.sitters.set(local, parent);
    self.runtime.onDeath(self.pid, () => this.sitters.delete(local));
    await self.receive();
  }

  /** Has linked children everywhere; some are killed, some sent away, and some lost with their node. */
  async #raise(self: AnySelf): Promise<void> {
    self.trapExit(true);
    const work = this.#work;
    const { name, incarnation } = work.node;
    for (;;) {
      if (work.isRunning && this.children.size < MAX_CHILDREN && work.chance(0.5)) {
        const child = await this.#spawn(self, work.pick(work.peers), `${name} ${incarnation}`);
        if (child !== undefined) this.children.set(child.key, child);
      }
      if (work.isRunning && work.chance(0.2)) await this.#sendAway(self);
      if (!work.isRunning) for (const child of this.#away.splice(0)) self.sendExit(child, 'kill');
      const message = await self.receive(undefined, { timeout: 15 });
      if (!(message instanceof snow.Exit)) continue;
      if (!this.children.delete(message.from.key))
        work.fault(`a second or unasked EXIT: ${String(message.reason)}`);
      work.count('EXIT');
    }
  }

  async #sendAway(self: AnySelf): Promise<void> {
    const child = this.#work.pick([...this.children.values()]);
    if (child === undefined) return;
    if (this.#work.chance(0.5)) return self.sendExit(child, 'kill');
    self.unlink(child);
    this.#away.push(child);
    // C12: an EXIT that was there before stays.
    this.children.delete(child.key);
    await self.receive((message: unknown) => message instanceof snow.Exit && message.from.equals(child), {
      timeout: 0,
    });
    self.sendExit(child, 'kill');
  }

  #spawn(self: AnySelf, node: string, parent: string): Promise<snow.Pid | undefined> {
    return this.#outcome(self.spawnOn(node, this.#spec, [parent], { link: true }));
  }

  #outcome(asking: Promise<{ pid: snow.Pid }>): Promise<snow.Pid | undefined> {
    this.#work.count('spawns');
    return asking.then(
      ({ pid }) => {
        this.#work.count('spawn outcomes');
        this.#work.count('spawned');
        return pid;
      },
      (error: { code?: string; details?: { reason?: unknown } }) => {
        this.#work.count('spawn outcomes');
        // A node that has just started does not expose anything yet.
        const isExpected = ['noconnection', 'unknown_function'].includes(String(error.details?.reason));
        if (error.code !== 'SNOW_ERR_SPAWN' || !isExpected)
          this.#work.fault(`a spawn failed: ${String(error)} ${JSON.stringify(error.details?.reason)}`);
        return undefined;
      },
    );
  }

  /** Children without a link, and parents that die while they ask (N4, N6): their children have to die too. */
  async #spawnOthers(self: AnySelf): Promise<() => Promise<void>> {
    const work = this.#work;
    return async () => {
      work.node.spawn(async (parent: AnySelf) => {
        void parent.spawnOn(work.pick(work.peers), this.#spec, ['nobody'], { link: true }).catch(() => {});
        await parent.sleep(work.below(8));
        parent.exit('shutdown');
      });
      const options = work.chance(0.5) ? { monitor: true } : {};
      await this.#outcome(self.spawnOn(work.pick(work.peers), this.#brief, [], options));
      // The DOWN of one that was monitored.
      await self.receive(snow.Down, { timeout: 1 });
    };
  }
}
