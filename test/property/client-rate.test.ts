// Clients that only use their public methods, on connections that stall, deliver in bursts and break, against servers with any limits: none is
// closed because it sends too much, and all that it sends is handled once and in order.
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { connectRooms, type RoomClient } from '../../ts/client/index.ts';
import type { Rooms } from '../../ts/rooms/index.ts';
import { randomFrom, seed } from '../support/seed.ts';
import { FakeSocket } from '../unit/rooms/fake-socket.ts';
import { Stage } from '../unit/rooms/stage.ts';

const RUNS = Number(process.env['RUNS'] ?? 1) * 25;
const STEPS = 40;
const MOMENT_MS = 50;
const NAMES = ['a', 'b', 'c', 'd', 'e', 'f'];

let stage: Stage;
beforeEach(() =>
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date', 'performance'],
  }),
);
afterEach(() => {
  stage.mesh.stop();
  vi.useRealTimers();
});

/** The server's end. Some libraries cannot pause a socket. */
class ServerEnd extends FakeSocket {
  constructor(protocol: string, canPause: boolean) {
    super(protocol);
    if (!canPause) Object.assign(this, { pause: undefined, resume: undefined });
  }
}

/** A WebSocket of a client. What it sends arrives when the test says so, all at once. */
class Line extends EventTarget {
  static rooms: Rooms;
  static canPause = true;
  static readonly open = new Set<Line>();
  binaryType = '';
  readyState = 1;
  readonly end: ServerEnd;
  readonly sent: (string | Uint8Array)[] = [];
  #heard = 0;

  constructor(_url: string, protocol: string) {
    super();
    this.end = new ServerEnd(protocol, Line.canPause);
    Line.rooms.accept(this.end);
    Line.open.add(this);
    queueMicrotask(() => this.dispatchEvent(new Event('open')));
  }

  send(data: string | Uint8Array): void {
    this.sent.push(data);
  }

  close(): void {
    this.fail(1000);
  }

  /** The server reads what was sent. A socket that is paused on the way still gives out what it had read. */
  arrive(): void {
    if (this.end.isHeld) return;
    for (const data of this.sent.splice(0)) if (this.end.closed === undefined) this.end.say(data);
  }

  /** The client reads what the server sent. */
  hear(): void {
    for (; this.#heard < this.end.sent.length && this.readyState === 1; this.#heard++)
      this.dispatchEvent(Object.assign(new Event('message'), { data: this.end.sent[this.#heard] }));
    if (this.end.closed !== undefined) this.fail(this.end.closed.code ?? 1005);
  }

  fail(code = 1006): void {
    if (this.readyState === 3) return;
    this.readyState = 3;
    Line.open.delete(this);
    this.end.drop();
    queueMicrotask(() => this.dispatchEvent(Object.assign(new Event('close'), { code })));
  }
}

it('R19, R20 a client is never closed because it sends too much, and each message is handled once', async () => {
  const random = randomFrom(seed());
  const below = (limit: number): number => Math.floor(random() * limit);
  for (let run = 0; run < RUNS; run++) {
    stage = new Stage();
    await play(random, below);
    stage.mesh.stop();
  }
});

async function play(random: () => number, below: (limit: number) => number): Promise<void> {
  const handled: unknown[] = [];
  let running: (() => void)[] = [];
  const limits = { messagesPerSecond: 1 + below(20), waiting: 1 + below(10) };
  const rooms = stage.alone({
    join: () => true,
    limits,
    message: async (_connection, data) => {
      handled.push(data);
      if (random() < 0.2) await new Promise<void>((resolve) => running.push(resolve));
    },
  });
  Line.rooms = rooms;
  Line.canPause = random() < 0.5;
  Line.open.clear();
  const client = connectRooms('ws://x', { WebSocket: Line as never, random: () => 0 });
  let said = 0;
  const say = (count: number): void => {
    for (let each = 0; each < count; each++) if (client.send(said)) said++;
  };
  const ask = (): void => {
    const name = NAMES[below(NAMES.length)] as string;
    void (random() < 0.7 ? client.join(name) : client.leave(name)).catch(() => {});
  };
  for (let step = 0; step < STEPS; step++) {
    const what = random();
    if (what < 0.3) say(1 + below(random() < 0.2 ? 60 : 5));
    else if (what < 0.4) for (let count = below(30); count > 0; count--) ask();
    else if (what < 0.5) for (const line of Line.open) line.fail();
    else if (what < 0.6) for (const go of running.splice(0)) go();
    await move(random, below(40));
  }
  for (let round = 0; round < 20_000 && client.queued > 0; round++) {
    for (const go of running.splice(0)) go();
    running = [];
    await move(() => 0, 1);
  }
  expect(rooms.stats().misbehaved, `${JSON.stringify(limits)}`).toBe(0);
  expect([client.queued, handled]).toEqual([0, Array.from({ length: said }, (_, number) => number)]);
  await leaveAll(client);
}

/** Time passes; now and then the connection lets something through. */
async function move(random: () => number, moments: number): Promise<void> {
  for (let moment = 0; moment < moments; moment++) {
    if (random() < 0.3) for (const line of [...Line.open]) line.arrive();
    await stage.mesh.pass(MOMENT_MS);
    vi.advanceTimersByTime(MOMENT_MS);
    if (random() < 0.3) for (const line of [...Line.open]) line.hear();
    await Promise.resolve();
  }
}

async function leaveAll(client: RoomClient): Promise<void> {
  client.close();
  await stage.mesh.settle();
}
