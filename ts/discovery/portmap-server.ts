import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { OldestFirst } from '../collections/index.ts';
import { checkOptionNames, listening, type OptionNames } from '../errors/index.ts';
import {
  LINE_MS,
  LineCutter,
  MAX_CONNECTIONS,
  MAX_NAMES,
  PORTMAP_PORT,
  type Refusal,
  type Registering,
  readRequest,
} from './portmap-protocol.ts';

/** Where a port mapper listens, and how much it takes. */
export interface PortmapOptions {
  /** Default 4370; 0 takes a free one. */
  readonly port?: number | undefined;
  /** Address to listen on. Default 127.0.0.1. Whatever it is, only clients of this machine may register. */
  readonly host?: string | undefined;
  /** How long a line may take to come, and an answer to be taken. Unit: ms. Default 5000. */
  readonly lineMs?: number | undefined;
  /** Whether it keeps the process alive. Default true. */
  readonly keepAlive?: boolean | undefined;
}

/** A running port mapper. */
export interface Portmap {
  readonly host: string;
  /** The port it really listens on. */
  readonly port: number;
  /** Ends it and all its connections; nodes register with the next one by themselves. */
  close(): Promise<void>;
}

const OPTIONS: OptionNames<PortmapOptions> = { port: true, host: true, lineMs: true, keepAlive: true };

/**
 * Starts a port mapper: nodes of this machine register their names and ports with it, any client may ask.
 *
 * A name lives as long as the connection that registered it. No client can remove the name of another.
 *
 * @returns a port mapper that listens. It holds 1024 names and 2048 connections at most.
 * @throws SNOW_ERR_BAD_OPTION; SNOW_ERR_LISTEN when the address cannot be listened on.
 * @example
 * const portmap = await startPortmap();
 */
export async function startPortmap(options: PortmapOptions = {}): Promise<Portmap> {
  checkOptionNames('startPortmap', options, OPTIONS);
  const { port = PORTMAP_PORT, host = '127.0.0.1', lineMs = LINE_MS, keepAlive = true } = options;
  const registrations = new Registrations(lineMs);
  const server = createServer((socket) => registrations.accept(keepAlive ? socket : socket.unref()));
  if (!keepAlive) server.unref();
  // Exclusive: under node:cluster the primary would share the port among all workers, each with a list of its own.
  const bound = await listening(server, { port, host, exclusive: true }, 'a port mapper');
  return { host, port: bound, close: () => close(server, registrations) };
}

async function close(server: Server, registrations: Registrations): Promise<void> {
  if (!server.listening) return;
  const closed = once(server, 'close');
  server.close();
  registrations.close();
  await closed;
}

/** Registered names, and all connections. */
class Registrations {
  readonly names = new Map<string, PortmapConnection>();
  readonly lineMs: number;
  readonly #connections = new Set<PortmapConnection>();
  /** Those that have registered no name. */
  readonly #nameless = new OldestFirst<PortmapConnection, true>();

  constructor(lineMs: number) {
    this.lineMs = lineMs;
  }

  /** At the limit the oldest connection without a name is closed, so silent connections keep no client out. */
  accept(socket: Socket): void {
    if (this.#connections.size >= MAX_CONNECTIONS) this.#makeRoom();
    const connection = new PortmapConnection(this, socket);
    this.#connections.add(connection);
    this.#nameless.set(connection, true);
    socket.once('close', () => this.#forget(connection));
  }

  close(): void {
    for (const connection of [...this.#connections]) connection.end();
  }

  /** There always is one: names are fewer than connections. Amortised O(1). */
  #makeRoom(): void {
    const connection = this.#nameless.oldestKey();
    if (connection === undefined) return;
    this.#forget(connection);
    connection.end();
  }

  #forget(connection: PortmapConnection): void {
    this.#connections.delete(connection);
    this.#nameless.delete(connection);
  }

  register(connection: PortmapConnection, wanted: Registering): Refusal | undefined {
    if (!isOnThisMachine(connection.remoteAddress, connection.localAddress)) return 'not_local';
    if (connection.registered !== undefined) return 'registered';
    const holder = this.names.get(wanted.name);
    if (holder !== undefined && holder.registered?.incarnation !== wanted.incarnation) return 'taken';
    if (holder === undefined && this.names.size >= MAX_NAMES) return 'full';
    holder?.end();
    connection.registered = wanted;
    this.#nameless.delete(connection);
    this.names.set(wanted.name, connection);
    return undefined;
  }

  unregister(connection: PortmapConnection): void {
    const name = connection.registered?.name;
    if (name !== undefined && this.names.get(name) === connection) this.names.delete(name);
  }
}

/** Whether a client is on this machine: it comes through loopback, or from the very address it calls. */
export function isOnThisMachine(remote: string | undefined, local: string | undefined): boolean {
  if (remote === undefined) return false;
  return remote === '::1' || remote === local || /^(::ffff:)?127\.\d+\.\d+\.\d+$/.test(remote);
}

/** One client. Requests are answered one by one: the next waits until the last answer is taken. */
class PortmapConnection {
  registered: Registering | undefined;
  readonly #registrations: Registrations;
  readonly #socket: Socket;
  readonly #lines = new LineCutter();
  #deadline: NodeJS.Timeout | undefined;

  constructor(registrations: Registrations, socket: Socket) {
    this.#registrations = registrations;
    this.#socket = socket;
    socket.setKeepAlive(true, 30_000);
    socket.on('error', () => {}); // a reset at any byte; 'close' follows
    socket.on('data', (chunk) => {
      this.#lines.push(chunk);
      this.#work();
    });
    socket.on('drain', () => {
      socket.resume();
      this.#arm();
      this.#work();
    });
    socket.once('close', () => this.end());
    this.#arm();
  }

  get remoteAddress(): string | undefined {
    return this.#socket.remoteAddress;
  }

  get localAddress(): string | undefined {
    return this.#socket.localAddress;
  }

  end(): void {
    clearTimeout(this.#deadline);
    this.#registrations.unregister(this);
    this.#socket.destroy();
  }

  #work(): void {
    while (!this.#socket.destroyed) {
      if (this.#socket.writableNeedDrain) {
        this.#socket.pause();
        return this.#arm();
      }
      const next = this.#lines.next();
      if (next === undefined) return;
      if (next === 'too_long') return this.#refuse('too_long');
      this.#answer(next.line);
    }
  }

  #answer(line: string): void {
    const request = readRequest(line);
    if (request === undefined) return this.#refuse('bad_request');
    this.#arm();
    if (request.op === 'list') return this.#list();
    if (request.op === 'lookup')
      return this.#say({
        ok: true,
        port: this.#registrations.names.get(request.name)?.registered?.port ?? null,
      });
    const refusal = this.#registrations.register(this, request);
    if (refusal !== undefined) return this.#say({ error: refusal });
    clearTimeout(this.#deadline); // a registered node sends nothing more
    this.#say({ ok: true });
  }

  #list(): void {
    let text = '';
    for (const [name, { registered }] of this.#registrations.names)
      text += `${JSON.stringify({ name, port: registered?.port })}\n`;
    this.#socket.write(`${text}{"ok":true}\n`);
  }

  #say(answer: object): void {
    this.#socket.write(`${JSON.stringify(answer)}\n`);
  }

  /** Refuses a client that does not follow the protocol, and closes its connection. */
  #refuse(refusal: Refusal): void {
    this.#registrations.unregister(this);
    this.#socket.end(`${JSON.stringify({ error: refusal })}\n`, () => this.end());
    this.#socket.pause();
    this.#arm();
  }

  /** Ends it in `lineMs`, unless it has a name and takes its answers. */
  #arm(): void {
    clearTimeout(this.#deadline);
    const isAtRest =
      this.registered !== undefined && !this.#socket.writableNeedDrain && this.#socket.writable;
    if (isAtRest || this.#socket.destroyed) return;
    this.#deadline = setTimeout(() => this.end(), this.#registrations.lineMs);
    this.#deadline.unref();
  }
}
