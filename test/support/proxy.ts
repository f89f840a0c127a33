// A TCP proxy that tests put between two nodes to cut, freeze or delay their connection. A node behind it is named
// after the proxy's port and listens on another one, so peers dial the proxy.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** One connection through the proxy. */
interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  /** Bytes that wait for their time: whichever timer fires takes the first, so their order is kept when delays change. */
  readonly waiting: { readonly toServer: Buffer[]; readonly toClient: Buffer[] };
  readonly timers: Set<NodeJS.Timeout>;
  frozen: boolean;
}

export interface ProxyOptions {
  /** Where connections go; may be set later with `target`. */
  port?: number;
  /** Default `127.0.0.1`. */
  host?: string;
}

/** A proxy on a port of its own. */
export class Proxy implements AsyncDisposable {
  /** Connections accepted so far. */
  accepted = 0;
  /** Bytes passed on: from the side that dialled, and back. */
  readonly bytes = { toServer: 0, toClient: 0 };
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  readonly #host: string;
  #target: number;
  #delayMs = 0;
  #refusing = false;
  /** Which connections are accepted, by the port of the dialling side; undefined: all. */
  #admits: ((port: number) => Promise<boolean>) | undefined;
  #freezeNew = false;
  /** Called with each part on its way; what it returns travels on. */
  tamper: ((part: Buffer, toServer: boolean) => Buffer | undefined) | undefined;

  private constructor(server: Server, options: ProxyOptions) {
    this.#server = server;
    this.#host = options.host ?? '127.0.0.1';
    this.#target = options.port ?? 0;
    server.on('connection', (client) => this.#accept(client));
  }

  static async listen(options: ProxyOptions = {}): Promise<Proxy> {
    const server = createServer({ allowHalfOpen: false });
    server.listen(0, options.host ?? '127.0.0.1');
    await once(server, 'listening');
    return new Proxy(server, options);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Connections that are open now. */
  get open(): number {
    return this.#pairs.size;
  }

  /** Sends later connections to another port. */
  target(port: number): void {
    this.#target = port;
  }

  /** Breaks every connection at once, as a reset. */
  cut(): void {
    for (const pair of this.#pairs) this.#end(pair);
  }

  /** Breaks every connection, and refuses new ones until `heal`. */
  partition(): void {
    this.#refusing = true;
    this.cut();
  }

  /** Keeps the connections of some, told by the port they dialled from; breaks and refuses all others until `heal`. */
  async admitOnly(admits: (port: number) => Promise<boolean>): Promise<void> {
    this.#admits = admits;
    await Promise.all(
      [...this.#pairs].map(async (pair) => {
        if (!(await admits(pair.client.remotePort ?? 0))) this.#end(pair);
      }),
    );
  }

  /** Lets no byte of the present connections through, in either direction; they stay open. */
  freeze(): void {
    for (const pair of this.#pairs) {
      pair.frozen = true;
      pair.client.pause();
      pair.server.pause();
    }
  }

  /** `freeze`, for connections yet to come too. */
  blackhole(): void {
    this.#freezeNew = true;
    this.freeze();
  }

  /** Ends a freeze, a black hole and a partition. */
  heal(): void {
    this.#refusing = false;
    this.#admits = undefined;
    this.#freezeNew = false;
    for (const pair of this.#pairs) {
      pair.frozen = false;
      pair.client.resume();
      pair.server.resume();
    }
  }

  /** Holds every byte back for `ms` from now on; order is kept. */
  delay(ms: number): void {
    this.#delayMs = ms;
  }

  async close(): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #accept(client: Socket): void {
    this.accepted++;
    if (this.#refusing) return void client.resetAndDestroy();
    if (this.#admits === undefined) return this.#join(client);
    client.on('error', () => client.destroy());
    void this.#admits(client.remotePort ?? 0).then((isAdmitted) => {
      if (isAdmitted && !client.destroyed) this.#join(client);
      else client.resetAndDestroy();
    });
  }

  #join(client: Socket): void {
    const server = connect({ host: this.#host, port: this.#target, noDelay: true });
    client.setNoDelay(true);
    const pair: Pair = {
      client,
      server,
      waiting: { toServer: [], toClient: [] },
      timers: new Set(),
      frozen: this.#freezeNew,
    };
    this.#pairs.add(pair);
    for (const socket of [client, server]) {
      socket.on('error', () => this.#end(pair));
      socket.on('close', () => this.#end(pair));
    }
    client.on('data', (part) => this.#pass(pair, part, true));
    server.on('data', (part) => this.#pass(pair, part, false));
    if (pair.frozen) {
      client.pause();
      server.pause();
    }
  }

  #pass(pair: Pair, part: Buffer, toServer: boolean): void {
    const kept = this.tamper === undefined ? part : this.tamper(part, toServer);
    if (kept === undefined) return;
    if (this.#delayMs === 0 && pair.timers.size === 0) return this.#write(pair, kept, toServer);
    const waiting = pair.waiting[toServer ? 'toServer' : 'toClient'];
    waiting.push(kept);
    const timer = setTimeout(() => {
      pair.timers.delete(timer);
      this.#write(pair, waiting.shift() as Buffer, toServer);
    }, this.#delayMs);
    pair.timers.add(timer);
  }

  #write(pair: Pair, part: Buffer, toServer: boolean): void {
    const [from, to] = toServer ? [pair.client, pair.server] : [pair.server, pair.client];
    this.bytes[toServer ? 'toServer' : 'toClient'] += part.length;
    if (to.write(part)) return;
    from.pause();
    to.once('drain', () => {
      if (!pair.frozen) from.resume();
    });
  }

  #end(pair: Pair): void {
    if (!this.#pairs.delete(pair)) return;
    for (const timer of pair.timers) clearTimeout(timer);
    pair.client.resetAndDestroy();
    pair.server.resetAndDestroy();
  }
}
