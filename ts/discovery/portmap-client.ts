import { connect, type Socket } from 'node:net';
import { checkOptionNames, type OptionNames, SnowmeshError } from '../errors/index.ts';
import { demand, isLocalName, isPort } from './discovery.ts';
import {
  LINE_MS,
  LineCutter,
  MAX_NAMES,
  PORTMAP_PORT,
  type PortmapEntry,
  type Request,
  readAnswer,
} from './portmap-protocol.ts';

/** Where a port mapper listens. */
export interface PortmapAddress {
  /** Default 127.0.0.1. */
  readonly host?: string | undefined;
  /** Default 4370. */
  readonly port?: number | undefined;
}

/** The names of the options that say where. */
export const ADDRESS_OPTIONS: OptionNames<PortmapAddress> = { host: true, port: true };

/**
 * Asks a port mapper where a node listens.
 *
 * @param name what stands before the `@` of the node's name.
 * @returns the port, or undefined when no node has that name.
 * @throws SNOW_ERR_BAD_OPTION; SNOW_ERR_PORTMAP when there is no answer within 5 s.
 * @example
 * const port = await lookupPort('shop', { host: '10.0.0.2' });
 */
export async function lookupPort(name: string, address: PortmapAddress = {}): Promise<number | undefined> {
  demand(isLocalName(name), 'name', name, 'what stands before the @ of a node name');
  checkOptionNames('lookupPort', address, ADDRESS_OPTIONS);
  const { socket, port } = await ask({ op: 'lookup', name }, address);
  socket.destroy();
  return port;
}

export interface Answer {
  /** Still open, without a listener for what comes. */
  readonly socket: Socket;
  readonly port: number | undefined;
  readonly entries: readonly PortmapEntry[];
}

/** One question and its whole answer on a connection of its own. `signal` ends the connection, then or later. */
export function ask(request: Request, address: PortmapAddress, signal?: AbortSignal): Promise<Answer> {
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

/** With the defaults filled in. */
export function addressOf({ host = '127.0.0.1', port = PORTMAP_PORT }: PortmapAddress): {
  host: string;
  port: number;
} {
  demand(typeof host === 'string' && host !== '', 'host', host, 'an address');
  demand(isPort(port), 'port', port, 'a port, 1 to 65535');
  return { host, port };
}

/** What a user is told of a port mapper that does not answer, or not as it should. */
export function broken(address: PortmapAddress, why: string): SnowmeshError {
  const { host, port } = addressOf(address);
  return new SnowmeshError('SNOW_ERR_PORTMAP', `the port mapper ${host}:${port}: ${why}`);
}

function refused(address: PortmapAddress, request: Request, refusal: string): SnowmeshError {
  if (refusal !== 'taken' || request.op !== 'register') return broken(address, `it refused: ${refusal}`);
  const message = `a living node is registered as "${request.name}" with the port mapper of this machine`;
  return new SnowmeshError('SNOW_ERR_PORTMAP_TAKEN', message);
}
