import { randomUUID } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { SnowmeshError } from '../errors/index.ts';
import { type Discovery, demand, fullName, isLocalName, isPort } from './discovery.ts';
import { Polling, type PollingOptions } from './polling.ts';
import {
  LINE_MS,
  LineCutter,
  MAX_NAMES,
  PORTMAP_PORT,
  type PortmapEntry,
  type Request,
  readAnswer,
} from './portmap-protocol.ts';

/** Pause before a lost registration is made again. Unit: ms. */
const RETRY_MS = 1000;

/** Where a port mapper listens. */
export interface PortmapAddress {
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 4370. */
  readonly port?: number;
}

export interface RegisterOptions extends PortmapAddress {
  /** The registration was lost, or could not be made again. It is tried again. */
  readonly failed?: (error: SnowmeshError) => void;
}

/** A name held with a port mapper. */
export interface PortmapRegistration {
  /** Gives the name back. */
  close(): void;
}

/**
 * Registers a node of this machine, and again within seconds whenever the port mapper was away (U2).
 *
 * @param name what stands before the `@` of the node's name.
 * @param listenPort the port the node listens on.
 * @returns the registration, once it is made. It keeps no process alive.
 * @throws SNOW_ERR_BAD_OPTION; SNOW_ERR_PORTMAP_TAKEN when a living node has the name; SNOW_ERR_PORTMAP when there is no
 * port mapper within 5 s, or it refuses.
 * @example
 * const registration = await registerWithPortmap('shop', node.port);
 */
export async function registerWithPortmap(
  name: string,
  listenPort: number,
  options: RegisterOptions = {},
): Promise<PortmapRegistration> {
  demand(isLocalName(name), 'name', name, 'what stands before the @ of a node name');
  demand(isPort(listenPort), 'listenPort', listenPort, 'a port, 1 to 65535');
  const request: Request = { op: 'register', name, port: listenPort, incarnation: randomUUID() };
  const stop = new AbortController();
  const hold = async (): Promise<void> => {
    const { socket } = await ask(request, options, stop.signal);
    socket.setKeepAlive(true, 30_000);
    socket.once('close', () => {
      if (stop.signal.aborted) return;
      options.failed?.(broken(options, 'it closed the connection'));
      again();
    });
  };
  const again = (): void => {
    const timer = setTimeout(() => {
      if (stop.signal.aborted) return;
      hold().catch((error: SnowmeshError) => {
        if (stop.signal.aborted) return;
        options.failed?.(error);
        again();
      });
    }, RETRY_MS);
    timer.unref();
  };
  await hold();
  return { close: () => stop.abort() };
}

/**
 * Asks a port mapper where a node listens.
 *
 * @param name what stands before the `@` of the node's name.
 * @returns the port, or undefined when nobody has that name.
 * @throws SNOW_ERR_BAD_OPTION; SNOW_ERR_PORTMAP when there is no answer within 5 s.
 * @example
 * const port = await lookupPort('shop', { host: '10.0.0.2' });
 */
export async function lookupPort(name: string, address: PortmapAddress = {}): Promise<number | undefined> {
  demand(isLocalName(name), 'name', name, 'what stands before the @ of a node name');
  const { socket, port } = await ask({ op: 'lookup', name }, address);
  socket.destroy();
  return port;
}

export interface PortmapDiscoveryOptions extends PollingOptions, PortmapAddress {
  /** What stands after the `@` in the names that are found. Default: `host`. */
  readonly hostname?: string;
}

/**
 * Finds the nodes registered with the port mapper of one machine, and looks again every `intervalMs` (default 5000 ms).
 *
 * @returns a discovery for the option `discovery` of one node. It fails with SNOW_ERR_DISCOVERY; what was found before still
 * holds. After failures the pause doubles up to 30 s.
 * @throws SNOW_ERR_BAD_OPTION for options that make no sense.
 * @example
 * startNode({ name: 'a@127.0.0.1:0', cookie, discovery: portmapDiscovery() });
 */
export function portmapDiscovery(options: PortmapDiscoveryOptions = {}): Discovery {
  const { host, port } = addressOf(options);
  const look = async (signal: AbortSignal): Promise<string[]> => {
    const { socket, entries } = await ask({ op: 'list' }, options, signal);
    socket.destroy();
    return entries.map((entry) => fullName(entry.name, options.hostname ?? host, entry.port));
  };
  return new Polling({ look, what: `the port mapper ${host}:${port}`, backsOff: true }, options);
}

interface Answer {
  /** Still open, without anybody listening to what comes. */
  readonly socket: Socket;
  readonly port: number | undefined;
  readonly entries: readonly PortmapEntry[];
}

/** One question and its whole answer on a connection of its own. `signal` ends the connection, then or later. */
function ask(request: Request, address: PortmapAddress, signal?: AbortSignal): Promise<Answer> {
  const { host, port } = addressOf(address);
  return new Promise((resolve, reject) => {
    const lines = new LineCutter();
    const entries: PortmapEntry[] = [];
    const socket = connect({ host, port });
    socket.unref();
    const fail = (why: string | SnowmeshError): void => {
      clearTimeout(deadline);
      socket.destroy();
      reject(typeof why === 'string' ? broken(address, why) : why);
    };
    const deadline = setTimeout(() => fail(`no answer within ${LINE_MS} ms`), LINE_MS);
    /** False once there is nothing more to read. */
    const take = (line: string): boolean => {
      const answer = readAnswer(line);
      if (answer === undefined || entries.length > MAX_NAMES) fail('its answer makes no sense');
      else if ('refusal' in answer) fail(refused(address, request, answer.refusal));
      else if ('entry' in answer) return entries.push(answer.entry) > 0;
      else {
        clearTimeout(deadline);
        socket.off('data', read).resume();
        resolve({ socket, port: answer.port, entries });
      }
      return false;
    };
    const read = (chunk: Buffer): void => {
      lines.push(chunk);
      for (;;) {
        const next = lines.next();
        if (next === undefined) return;
        if (next === 'too_long') return fail('its answer makes no sense');
        if (!take(next.line)) return;
      }
    };
    socket.on('data', read);
    socket.on('error', (error) => fail(error.message));
    // By hand: `connect` would leave its listener on the signal after the socket is gone.
    const abort = (): void => fail('given up');
    signal?.addEventListener('abort', abort);
    socket.once('close', () => {
      signal?.removeEventListener('abort', abort);
      fail('it closed the connection');
    });
    socket.write(`${JSON.stringify(request)}\n`);
  });
}

function addressOf({ host = '127.0.0.1', port = PORTMAP_PORT }: PortmapAddress): {
  host: string;
  port: number;
} {
  demand(isPort(port), 'port', port, 'a port, 1 to 65535');
  return { host, port };
}

function broken(address: PortmapAddress, why: string): SnowmeshError {
  const { host, port } = addressOf(address);
  return new SnowmeshError('SNOW_ERR_PORTMAP', `the port mapper ${host}:${port}: ${why}`);
}

function refused(address: PortmapAddress, request: Request, refusal: string): SnowmeshError {
  if (refusal !== 'taken' || request.op !== 'register') return broken(address, `it refused: ${refusal}`);
  const message = `a living node is registered as "${request.name}" with the port mapper of this machine`;
  return new SnowmeshError('SNOW_ERR_PORTMAP_TAKEN', message);
}
