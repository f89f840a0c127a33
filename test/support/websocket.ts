// The `ws` package without its types: it is an optional dependency, and a checkout without it still compiles.
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { until } from './deadline.ts';

/** The part of a client's WebSocket of `ws` that tests use. */
export interface TestWebSocket {
  readonly readyState: number;
  send(data: string | Uint8Array, options?: { readonly fin: boolean }): void;
  close(code?: number, reason?: string): void;
  terminate(): void;
  pong(data: string, mask: boolean, done: () => void): void;
  pause(): void;
  resume(): void;
  on(event: string, listener: (...args: never[]) => void): this;
  once(event: string, listener: (...args: never[]) => void): this;
}

export interface WebSocketOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly origin?: string;
  readonly perMessageDeflate?: boolean;
  readonly autoPong?: boolean;
}

const require = createRequire(import.meta.url);

/** A package that only tests need, without its types. */
export const load = (name: string): never => require(name) as never;

export const WebSocket = (require('ws') as { WebSocket: unknown }).WebSocket as new (
  url: string,
  protocols?: string | readonly string[],
  options?: WebSocketOptions,
) => TestWebSocket;

/** A client's socket, and the messages that it got. */
export class Tap {
  readonly socket: TestWebSocket;
  readonly got: (string | Buffer)[] = [];
  closed: { readonly code: number; readonly reason: string } | undefined;

  constructor(url: string, protocols: readonly string[] = [], options: WebSocketOptions = {}) {
    this.socket = new WebSocket(url, protocols, options);
    this.socket.on('message', (data: Buffer, isBinary: boolean) =>
      this.got.push(isBinary ? data : data.toString()),
    );
    this.socket.on('close', (code: number, reason: Buffer) => {
      this.closed = { code, reason: reason.toString() };
    });
    this.socket.on('error', () => {});
  }

  /** Resolves when it is connected. */
  static async open(
    url: string,
    protocols: readonly string[] = [],
    options: WebSocketOptions = {},
  ): Promise<Tap> {
    const tap = new Tap(url, protocols, options);
    await once(tap.socket as never, 'open');
    return tap;
  }

  count(count: number): Promise<unknown> {
    return until(`${count} messages, ${this.got.length} came`, () => this.got.length >= count);
  }

  end(): Promise<{ readonly code: number; readonly reason: string }> {
    return until('the close of a WebSocket', () => this.closed);
  }
}

/** The status and text that an upgrade is answered with; 101 when it is one. */
export async function answerOf(
  url: string,
  options: WebSocketOptions = {},
): Promise<{ status: number; text: string; retryAfter: string | undefined }> {
  const socket = new WebSocket(url, [], options);
  return new Promise((resolve, reject) => {
    socket.once('error', reject as never);
    socket.once('open', () => {
      socket.terminate();
      resolve({ status: 101, text: '', retryAfter: undefined });
    });
    socket.once('unexpected-response', (_request: never, response: import('node:http').IncomingMessage) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, text, retryAfter: response.headers['retry-after'] }),
      );
    });
  });
}
