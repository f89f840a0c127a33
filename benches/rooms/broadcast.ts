// The first of two or three server processes broadcasts to one room, which has clients on all of them. Another process runs the clients.
import type { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import {
  type BenchCase,
  cpuSeconds,
  percentile,
  type Round,
  type Running,
  type Settings,
} from '../harness.ts';
import { digits, joinRoom } from './clients.ts';
import { type Fleet, type Load, startFleet } from './servers.ts';

interface Size {
  readonly servers: number;
  readonly clients: number;
  readonly bytes: number;
  readonly compress?: boolean;
  /** Clients more that read nothing, anew in each round. */
  readonly stalled?: number;
  readonly rivals: readonly string[];
}

const ALL = ['socket.io-redis', 'ws-redis', 'ws-redis-framed', 'bare-sockets'];
const SIZES: readonly Size[] = [
  { servers: 2, clients: 500, bytes: 100, rivals: ALL },
  { servers: 2, clients: 2000, bytes: 100, rivals: ALL },
  { servers: 3, clients: 500, bytes: 100, rivals: ALL },
  { servers: 3, clients: 2000, bytes: 100, rivals: ALL },
  { servers: 2, clients: 500, bytes: 10_240, rivals: ['socket.io-redis', 'ws-redis'] },
  { servers: 2, clients: 500, bytes: 10_240, compress: true, rivals: ['socket.io-redis', 'ws-redis'] },
  { servers: 2, clients: 500, bytes: 1024, stalled: 5, rivals: ['socket.io-redis', 'ws-redis'] },
];

const nameOf = ({ servers, clients, bytes, compress, stalled }: Size): string =>
  `${servers}x${clients}_${bytes}B${compress === true ? '_deflate' : ''}${stalled === undefined ? '' : '_stalled'}`;

export const roomBroadcast: readonly BenchCase[] = SIZES.map((size) => ({
  name: `rooms/broadcast_${nameOf(size)}`,
  about:
    `Broadcasts of ${size.bytes} bytes to a room with ${size.clients} clients on ${size.servers} servers` +
    `${size.compress === true ? ', with permessage-deflate' : ''}` +
    `${size.stalled === undefined ? '' : `, of which ${size.stalled} more read nothing`}: one at a time, and up to 16 ahead of the slowest client (burst).`,
  rounds: 3,
  rivals: { node: { case: `rooms/${nameOf(size)}`, rivals: size.rivals } },
  open: (settings) => openBroadcast(undefined, size, settings),
}));

/** The same case with the servers of a rival. */
export async function openRoomRival(
  rival: string,
  name: string,
  settings: Settings,
): Promise<{ suite: string; running: Running }> {
  const size = SIZES.find((each) => `rooms/${nameOf(each)}` === name);
  if (size === undefined) throw new Error(`no rival does ${name}`);
  const driver = await Driver.start(rival, size, settings);
  return { suite: driver.suite, running: driver };
}

function openBroadcast(rival: string | undefined, size: Size, settings: Settings): Promise<Running> {
  return Driver.start(rival, size, settings);
}

/** The cost of admitting a client to servers that have as many already: a process takes more for its first clients. */
interface Joining {
  /** Heap of all servers. Unit: bytes a connection. */
  readonly bytesEach: number;
  readonly rssEach: number;
  readonly perSecond: number;
  /** Unit: microseconds. */
  readonly cpuEach: number;
}

/** More broadcasts than are under way at a time. */
const UNDER_WAY = 1024;
/** Latencies remembered of one phase. */
const MAX_LATENCIES = 1 << 21;

class Driver implements Running {
  readonly #fleet: Fleet;
  readonly #size: Size;
  readonly #sockets: readonly Socket[];
  readonly #settings: Settings;
  readonly #joining: Joining;
  readonly #counting: Counting;

  private constructor(
    size: Size,
    fleet: Fleet,
    sockets: readonly Socket[],
    settings: Settings,
    counting: Counting,
    joining: Joining,
  ) {
    this.#size = size;
    this.#fleet = fleet;
    this.#sockets = sockets;
    this.#settings = settings;
    this.#counting = counting;
    this.#joining = joining;
  }

  static async start(rival: string | undefined, size: Size, settings: Settings): Promise<Driver> {
    const clients = settings.quick ? 20 : size.clients;
    const fleet = await startFleet(rival, size);
    const counting = new Counting(clients);
    const sockets: Socket[] = [];
    const half = clients / 2;
    let start = 0;
    let before: readonly Load[] = [];
    for (let from = 0; from < clients; from = sockets.length) {
      if (from === half) {
        before = await fleet.loads('memory');
        start = performance.now();
      }
      const until = from < half ? half : clients;
      const some = Array.from({ length: Math.min(50, until - from) }, (_, index) =>
        joinRoom(
          fleet.ports[(from + index) % fleet.ports.length] as number,
          { ...fleet.dialect, deflates: size.compress === true },
          counting.took,
        ),
      );
      for (const socket of await Promise.all(some)) {
        sockets.push(socket);
        socket.on('close', () => (counting.lost += 1));
      }
    }
    const seconds = (performance.now() - start) / 1000;
    const full = await fleet.loads('memory');
    const grown = (key: keyof Load): number =>
      full.reduce((sum, load, index) => sum + load[key] - (before[index]?.[key] ?? 0), 0) / (clients - half);
    return new Driver(size, fleet, sockets, settings, counting, {
      bytesEach: grown('heap'),
      rssEach: grown('rss'),
      perSecond: (clients - half) / seconds,
      cpuEach: grown('cpu') * 1e6,
    });
  }

  get suite(): string {
    return this.#fleet.suite;
  }

  async round(): Promise<Round> {
    const before = await this.#memory();
    const stalled = await this.#stall();
    const burst = await this.#phase('burst', 16);
    const grown = (await this.#memory()) - before;
    for (const socket of stalled) socket.destroy();
    const { bytesEach, rssEach, perSecond, cpuEach } = this.#joining;
    return {
      ...burst,
      ...(await this.#phase('single', 1)),
      ...(stalled.length === 0 ? {} : { grown: { value: grown, unit: 'bytes' } }),
      memory: { value: bytesEach, unit: 'bytes' },
      rss: { value: rssEach, unit: 'bytes' },
      joins: { value: perSecond, unit: 'joins/s' },
      join_cpu: { value: cpuEach, unit: 'us' },
    };
  }

  /** What all servers use. Unit: bytes. */
  async #memory(): Promise<number> {
    return (await this.#fleet.loads('memory')).reduce((sum, { heap }) => sum + heap, 0);
  }

  /** Clients that are in the room and read nothing. */
  #stall(): Promise<Socket[]> {
    const { ports, dialect } = this.#fleet;
    const joins = Array.from({ length: this.#size.stalled ?? 0 }, async (_, index) => {
      const socket = await joinRoom(ports[index % ports.length] as number, dialect, () => {});
      return socket.pause();
    });
    return Promise.all(joins);
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.removeAllListeners('close').destroy();
    await this.#fleet.stop();
  }

  /** @param ahead broadcasts that the slowest client may not have yet. */
  async #phase(name: string, ahead: number): Promise<Round> {
    const { quick } = this.#settings;
    const counting = this.#counting;
    counting.onComplete = () => this.#fleet.broadcast(1);
    this.#fleet.broadcast(ahead);
    await pause(quick ? 20 : 300);
    const before = await this.#cpu();
    counting.begin();
    const start = performance.now();
    await pause(quick ? 50 : 1500);
    while (!counting.hasAny) await pause(20); // a quick round on a busy machine
    const { deliveries, latencies } = counting.end();
    if (counting.lost > 0) throw new Error(`${counting.lost} clients were closed`);
    const seconds = (performance.now() - start) / 1000;
    const after = await this.#cpu();
    counting.onComplete = () => {};
    for (let last = -1; last !== counting.deliveries; ) {
      last = counting.deliveries;
      await pause(quick ? 20 : 100);
    }
    const ms = (part: number) => ({ value: percentile(latencies, part) / 1e6, unit: 'ms' });
    return {
      [`${name}_rate`]: { value: deliveries / seconds, unit: 'deliveries/s' },
      [`${name}_cpu`]: { value: ((after.servers - before.servers) / deliveries) * 1e6, unit: 'us/msg' },
      [`${name}_driver_cpu`]: { value: ((after.driver - before.driver) / deliveries) * 1e6, unit: 'us/msg' },
      [`${name}_p50`]: ms(0.5),
      [`${name}_p99`]: ms(0.99),
      [`${name}_p999`]: ms(0.999),
    };
  }

  async #cpu(): Promise<{ servers: number; driver: number }> {
    const loads = await this.#fleet.loads('cpu');
    const servers = loads.reduce((sum, { cpu }) => sum + cpu, this.#fleet.otherCpu());
    return { servers, driver: cpuSeconds() };
  }
}

/** Counts what clients get, and sees when all have a broadcast. */
class Counting {
  deliveries = 0;
  /** Clients whose socket was closed. */
  lost = 0;
  onComplete: () => void = () => {};
  readonly #clients: number;
  /** How many clients have each broadcast that is under way, by its sequence modulo UNDER_WAY. */
  readonly #got = new Uint32Array(UNDER_WAY);
  readonly #latencies = new Float64Array(MAX_LATENCIES);
  #recorded = -1;
  #from = 0;

  constructor(clients: number) {
    this.#clients = clients;
  }

  readonly took = (buffer: Buffer, at: number): void => {
    const sequence = digits(buffer, at, 8);
    this.deliveries++;
    if (this.#recorded >= 0 && this.#recorded < MAX_LATENCIES)
      this.#latencies[this.#recorded++] = now() - digits(buffer, at + 9, 16);
    const place = sequence % UNDER_WAY;
    const got = (this.#got[place] as number) + 1;
    this.#got[place] = got < this.#clients ? got : 0;
    if (got === this.#clients) this.onComplete();
  };

  /** Whether something was delivered since `begin`. */
  get hasAny(): boolean {
    return this.deliveries > this.#from;
  }

  begin(): void {
    this.#recorded = 0;
    this.#from = this.deliveries;
  }

  end(): { readonly deliveries: number; readonly latencies: Float64Array } {
    const latencies = this.#latencies.slice(0, this.#recorded).sort();
    this.#recorded = -1;
    return { deliveries: this.deliveries - this.#from, latencies };
  }
}

/** The clock that all processes of a machine share, as `process.hrtime.bigint()` without the cost of a bigint. Unit: ns. */
const now = (): number => performance.now() * 1e6 + CLOCK_ORIGIN;
/** Of many readings the closest: when a process is interrupted between the two clocks, the difference is too large. */
const CLOCK_ORIGIN = Math.min(
  ...Array.from(
    { length: 100 },
    () => -performance.now() * 1e6 + Number(process.hrtime.bigint() % 10n ** 16n),
  ),
);
