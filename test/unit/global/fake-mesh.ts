// Several GlobalNames in one process, joined by links that a test cuts, heals and lets deliver one event at a time. An end
// learns of an up or a down when that event is delivered, so two ends disagree for a while, as they do over sockets.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type GlobalNames, type GlobalNamesOptions, startGlobalNames } from '../../../ts/global/index.ts';
import type { Channel, ChannelListener, ChannelPeer } from '../../../ts/node/index.ts';
import { Pid } from '../../../ts/term/index.ts';
import { startTestRuntime, type TestRuntime } from '../../../ts/testing/index.ts';

/** How much time passes at once, in ms. */
const MOMENT_MS = 250;

type Event =
  | { readonly kind: 'up' | 'down' }
  | { readonly kind: 'message'; readonly value: unknown }
  | { readonly kind: 'room'; readonly frame: readonly [room: string, payload: Uint8Array, details: unknown] };

/** One direction: what `to` is going to hear about and from `from`. */
interface Wire {
  readonly from: FakeNode;
  readonly to: FakeNode;
  readonly events: Event[];
  isUp: boolean;
  /** Nothing comes through, and nothing is lost. */
  isHeld: boolean;
}

export class FakeNode {
  readonly number: number;
  readonly name: string;
  readonly kit: TestRuntime = startTestRuntime();
  readonly mesh: FakeMesh;
  readonly peers: Map<FakeNode, ChannelPeer> = new Map();
  isHidden = false;
  isListening = true;
  isStopping = false;
  /** It does nothing and hears nothing; what it has sent is on its way. */
  isFrozen = false;
  #isFullFor: (peer: ChannelPeer) => boolean = () => false;
  /** Resolve the promises of `whenWritable`. */
  #waiting: (() => void)[] = [];
  listener: ChannelListener | undefined;
  names!: GlobalNames;

  constructor(mesh: FakeMesh, number: number) {
    this.mesh = mesh;
    this.number = number;
    this.name = `n${number}@fake:1`;
  }

  /** Whose outbox takes no broadcast any more. */
  set isFullFor(isFullFor: (peer: ChannelPeer) => boolean) {
    this.#isFullFor = isFullFor;
    this.wakeWriters();
  }

  /** Those whose outbox is full wait again. */
  wakeWriters(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  get runtime(): TestRuntime['runtime'] {
    return this.kit.runtime;
  }

  channel(_name: string, listener: ChannelListener): Channel {
    this.listener = listener;
    for (const peer of this.peers.values()) listener.up(peer);
    return {
      peers: () => this.peers.values(),
      peer: (node) => [...this.peers.values()].find((peer) => peer.node === node),
      send: (peer, value) => this.mesh.send(this, peer, value),
      whenWritable: (peer) =>
        this.#isFullFor(peer) ? new Promise((resolve) => this.#waiting.push(resolve)) : undefined,
      broadcast: (peers, value) => {
        const refused: ChannelPeer[] = [];
        for (const peer of peers) {
          if (this.#isFullFor(peer)) refused.push(peer);
          else this.mesh.send(this, peer, value);
        }
        return refused;
      },
      broadcastRoom: (peers, room, payload, details) => {
        const refused: ChannelPeer[] = [];
        for (const peer of peers) {
          if (this.#isFullFor(peer)) refused.push(peer);
          else this.mesh.sendRoom(this, peer, [room, Buffer.from(payload), details]);
        }
        return refused;
      },
      end: ({ node }) => this.disconnect(node),
      close: () => {
        if (this.listener === listener) this.listener = undefined;
      },
    };
  }

  disconnect(name: string): void {
    for (const node of this.peers.keys()) if (node.name === name) this.mesh.cut(this, node);
  }

  start(options?: GlobalNamesOptions): GlobalNames {
    this.names = startGlobalNames(this, options);
    return this.names;
  }

  actor(): Pid<unknown> {
    return this.runtime.spawnHandler(() => ({ onMessage() {} }));
  }

  /** How `pid`, as `home` writes it, is written here. */
  pid(pid: Pid<never>, home: FakeNode): Pid<never> {
    const number = pid.nc === 0 ? home.number : pid.nc;
    return number === this.number ? this.runtime.pidOf(pid.local) : new Pid(number, pid.local);
  }

  /** Who has a name here, in a spelling that is the same on all nodes. */
  seen(name: string): string | undefined {
    const pid = this.names.whereis(name);
    return pid && `${pid.nc === 0 ? this.number : pid.nc}.${pid.local}`;
  }

  spelt(pid: Pid<never>): string {
    return `${pid.nc === 0 ? this.number : pid.nc}.${pid.local}`;
  }
}

export class FakeMesh {
  readonly nodes: FakeNode[] = [];
  readonly #wires = new Map<string, Wire>();
  readonly #random: () => number;
  #connections = 0;
  /** Called for each message as it is sent, before any peer can hear it. */
  onSend: ((from: FakeNode, to: FakeNode, value: unknown) => void) | undefined;
  /** Called for each message just before the peer hears it. */
  onDeliver: ((from: FakeNode, to: FakeNode, value: unknown) => void) | undefined;

  /** @param random in [0, 1): which wire delivers next. */
  constructor(size: number, random: () => number, options?: GlobalNamesOptions) {
    this.#random = random;
    for (let number = 1; number <= size; number++) this.nodes.push(new FakeNode(this, number));
    for (const from of this.nodes)
      for (const to of this.nodes) {
        if (from !== to)
          this.#wires.set(`${from.number}>${to.number}`, {
            from,
            to,
            events: [],
            isUp: false,
            isHeld: false,
          });
      }
    if (options !== undefined) for (const node of this.nodes) node.start(options);
  }

  /** Connects two nodes; they hear of it later. */
  connect(a: FakeNode, b: FakeNode): void {
    for (const wire of [this.#wire(a, b), this.#wire(b, a)]) {
      if (wire.isUp) continue;
      wire.isUp = true;
      wire.events.push({ kind: 'up' });
    }
  }

  connectAll(): void {
    for (const a of this.nodes) for (const b of this.nodes) if (a.number < b.number) this.connect(a, b);
  }

  /** Cuts a link: what is on its way is lost from a random place on. */
  cut(a: FakeNode, b: FakeNode): void {
    for (const wire of [this.#wire(a, b), this.#wire(b, a)]) {
      if (!wire.isUp) continue;
      wire.isUp = false;
      const lastUp = wire.events.findLastIndex(({ kind }) => kind === 'up');
      const kept = lastUp + 1 + Math.floor(this.#random() * (wire.events.length - lastUp));
      wire.events.splice(kept);
      wire.events.push({ kind: 'down' });
    }
  }

  /** Holds back what these two tell each other, with no end told: a black hole. */
  hold(a: FakeNode, b: FakeNode): void {
    this.#wire(a, b).isHeld = this.#wire(b, a).isHeld = true;
  }

  release(a: FakeNode, b: FakeNode): void {
    this.#wire(a, b).isHeld = this.#wire(b, a).isHeld = false;
  }

  /** Time goes on without it. */
  freeze(node: FakeNode): void {
    node.isFrozen = true;
  }

  /** It goes on: with its timers, or with what has come, as it happens. */
  thaw(node: FakeNode): void {
    node.isFrozen = false;
    if (this.#random() < 0.5) fireDue(node);
  }

  /** Lets time pass, a little at a time, and everything be delivered meanwhile. Unit: ms. */
  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= MOMENT_MS) {
      await this.settle();
      for (const node of this.nodes) {
        node.kit.clock.skip(Math.min(left, MOMENT_MS));
        if (!node.isFrozen) fireDue(node);
        await handed();
      }
    }
    await this.settle();
  }

  /** The whole node is gone, without a word. */
  crash(node: FakeNode): void {
    for (const other of this.nodes) if (other !== node) this.cut(node, other);
    node.peers.clear();
    node.listener = undefined;
    node.isFrozen = false;
  }

  send(from: FakeNode, peer: ChannelPeer, value: unknown): void {
    const to = this.#push(from, peer, (to) => ({ kind: 'message', value: translate(value, from, to) }));
    if (to !== undefined) this.onSend?.(from, to, value);
  }

  sendRoom(
    from: FakeNode,
    peer: ChannelPeer,
    frame: readonly [room: string, payload: Uint8Array, details: unknown],
  ): void {
    this.#push(from, peer, () => ({ kind: 'room', frame }));
  }

  /** Gives the receiver; undefined: nothing was sent. */
  #push(from: FakeNode, peer: ChannelPeer, event: (to: FakeNode) => Event): FakeNode | undefined {
    const to = this.nodes.find((node) => node.name === peer.node);
    if (to === undefined || from.peers.get(to) !== peer) return undefined;
    const wire = this.#wire(from, to);
    // The end that sends may not know yet that its connection is over, or that there is a newer one.
    if (!wire.isUp || this.#wire(to, from).events.some(({ kind }) => kind === 'down')) return undefined;
    wire.events.push(event(to));
    return to;
  }

  /** Delivers one event of a random wire. False: there is none. */
  step(): boolean {
    const ready = [...this.#wires.values()].filter(canDeliver);
    const wire = ready[Math.floor(this.#random() * ready.length)];
    if (wire === undefined) return false;
    this.deliver(wire.from, wire.to);
    return true;
  }

  /** Delivers the next event from one node to another. */
  deliver(from: FakeNode, to: FakeNode): boolean {
    const wire = this.#wire(from, to);
    const event = canDeliver(wire) ? wire.events.shift() : undefined;
    if (event === undefined) return false;
    if (event.kind === 'up') {
      const connection = ++this.#connections;
      const { name: node, isHidden: hidden, number: nc } = from;
      const peer = { node, hidden, nc, connection, incarnation: BigInt(nc) };
      to.peers.set(from, peer);
      to.listener?.up(peer);
      return true;
    }
    const peer = to.peers.get(from);
    if (peer === undefined) return true;
    if (event.kind === 'message') this.onDeliver?.(from, to, event.value);
    if (event.kind === 'message') to.listener?.message(peer, event.value);
    else if (event.kind === 'room') to.listener?.room?.(peer, ...event.frame);
    else {
      to.peers.delete(from);
      to.listener?.down(peer);
      to.wakeWriters();
    }
    return true;
  }

  /** Delivers everything, and everything that follows from it. */
  async settle(): Promise<void> {
    let quiet = 0;
    while (quiet < 2) {
      quiet++;
      while (this.step()) {
        quiet = 0;
        await handed();
      }
      for (const { runtime, isFrozen } of this.nodes) if (!isFrozen && runtime.runSlice()) quiet = 0;
      await nextTurn();
    }
  }

  stop(): void {
    for (const { kit } of this.nodes) kit.stop();
  }

  #wire(from: FakeNode, to: FakeNode): Wire {
    return this.#wires.get(`${from.number}>${to.number}`) as Wire;
  }
}

const canDeliver = ({ events, isHeld, to }: Wire): boolean => events.length > 0 && !isHeld && !to.isFrozen;

function fireDue({ kit: { clock } }: FakeNode): void {
  while (clock.step(clock.now()));
}

/** Lets who waits for a promise that is settled now go on. */
export async function handed(): Promise<void> {
  for (let count = 0; count < 4; count++) await Promise.resolve();
}

function translate(value: unknown, from: FakeNode, to: FakeNode): unknown {
  if (value instanceof Pid) return to.pid(value, from);
  if (Array.isArray(value)) return value.map((part) => translate(part, from, to));
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype)
    return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, translate(part, from, to)]));
}
