// Nodes that dial, hang up, flood, die and come back at random, over and over. Invariants:
// 1. per node and peer name, up and down alternate, and frames come only in between (L4, L5);
// 2. the numbers of one session are ascending without a gap from 0 on, except that its end may cut them off (B1, B4);
// 3. every dial is answered exactly once; 4. in the end everything closes.
import { describe, expect, it } from 'vitest';
import { until } from '../support/deadline.ts';
import { randomFrom, runs, seed } from '../support/seed.ts';
import {
  bigFrame,
  DialReason,
  type Entry,
  NativeEvent,
  peerOf,
  RawNode,
  type RawPeer,
  SEND,
  sendFrame,
} from './raw-node.ts';

class Actor {
  node!: RawNode;
  readonly peers = new Map<number, { peer: RawPeer; next: number; stream: number }>();
  readonly up = new Map<string, number>();
  readonly expected = new Map<number, number>();
  asked = 0;
  answered = 0;
  problems: string[] = [];
  readonly reader: 'loop' | 'thread';

  constructor(name: string, reader: 'loop' | 'thread') {
    this.reader = reader;
    this.start(name);
  }

  start(name: string): void {
    this.peers.clear();
    this.up.clear();
    this.expected.clear();
    const onEntry = (entry: Entry): boolean => this.#take(entry);
    this.node = new RawNode({ name, reader: this.reader, inboxBytes: 1 << 20, onEntry });
  }

  async restart(): Promise<void> {
    const { node } = this;
    node.native.close(node.handle);
    await until('stopped', () => this.stopped.has(node.handle));
    this.start(node.name);
  }

  readonly stopped = new Set<number>();

  #take({ tag, session, body }: Entry): boolean {
    if (tag === NativeEvent.STOPPED) this.stopped.add(this.node.handle);
    if (tag === NativeEvent.CONNECT_RESULT) this.answered++;
    if (tag === NativeEvent.SESSION_UP) {
      const peer = peerOf({ tag, session, body });
      if (this.up.has(peer.name)) this.problems.push(`${peer.name} is up twice`);
      if (this.expected.has(session)) this.problems.push(`id ${session} is used twice`);
      this.up.set(peer.name, session);
      this.expected.set(session, 0);
      this.peers.set(session, { peer, next: 0, stream: 0 });
    }
    if (tag === NativeEvent.SESSION_DOWN) {
      const held = this.peers.get(session);
      if (held === undefined) this.problems.push(`down of ${session}, which is not up`);
      else this.up.delete(held.peer.name);
      this.peers.delete(session);
      this.expected.delete(session);
    }
    if (tag === SEND) {
      const expected = this.expected.get(session);
      const value = body.readInt32LE(10);
      if (value !== expected) this.problems.push(`session ${session}: ${value} instead of ${expected}`);
      this.expected.set(session, value + 1);
    }
    return false;
  }

  flood(session: number, count: number): void {
    const held = this.peers.get(session);
    if (held === undefined) return;
    const frames = Array.from({ length: count }, () => sendFrame(held.peer.nc, 1, held.next++));
    this.node.flush(session, ...frames);
  }
}

describe('chaos', () => {
  it('keeps its promises whatever happens', async () => {
    const random = randomFrom(seed());
    const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
    const actors = ['a', 'b', 'c', 'd'].map(
      (name, index) => new Actor(`${name}@127.0.0.1:0`, index % 2 === 0 ? 'loop' : 'thread'),
    );
    const steps: Record<string, (actor: Actor) => unknown> = {
      dial: (actor) => {
        const { name, port } = pick(actors).node;
        if (name !== actor.node.name) {
          actor.node.native.dial(actor.node.handle, actor.asked++, name, '127.0.0.1', port, DialReason.ASKED);
        }
      },
      flood: (actor) => actor.flood(pick([...actor.peers.keys(), 0]), 1 + Math.floor(random() * 800)),
      bulk: (actor) => {
        const held = actor.peers.get(pick([...actor.peers.keys(), 0]));
        if (held === undefined) return;
        const { session, nc } = held.peer;
        actor.node.native.bulk(actor.node.handle, session, 7, [
          bigFrame(nc, 1, Math.floor(random() * 1_500_000) + 300_000),
        ]);
      },
      hangup: (actor) => actor.node.native.hangup(actor.node.handle, pick([...actor.peers.keys(), 999]), 2),
      breathe: () => new Promise((resolve) => setTimeout(resolve, random() * 5)),
      restart: (actor) => (random() < 0.1 ? actor.restart() : undefined),
    };
    const names = [
      'dial',
      'dial',
      'flood',
      'flood',
      'flood',
      'bulk',
      'hangup',
      'breathe',
      'breathe',
      'restart',
    ];
    for (let step = 0; step < runs(3000); step++) {
      await steps[pick(names)]?.(pick(actors));
      if (step % 50 === 0) expect(actors.flatMap((actor) => actor.problems)).toEqual([]);
    }
    for (const actor of actors) actor.node.native.close(actor.node.handle);
    await until('all stopped', () => actors.every((actor) => actor.stopped.has(actor.node.handle)));
    expect(actors.flatMap((actor) => actor.problems)).toEqual([]);
    expect(actors.map((actor) => actor.answered)).toEqual(actors.map((actor) => actor.asked));
  });
});
