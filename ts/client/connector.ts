import { Backoff } from './backoff.ts';
import { misuse } from './errors.ts';
import { CloseCode, SUBPROTOCOL } from './protocol.ts';

/** What a client is doing: `waiting` for its next attempt, `connecting`, `open`, or `closed` for good. */
export type Status = 'connecting' | 'open' | 'waiting' | 'closed';

/** The part of a WebSocket that the client uses: that of browsers, of Node.js 22, and of the package `ws` has it. */
export interface ClientSocket {
  binaryType: string;
  readonly readyState: number;
  /** Takes the listeners of open, message, close and error; libraries declare them in different ways. */
  addEventListener(event: never, listener: never): void;
  send(data: string | Uint8Array<ArrayBuffer>): void;
  close(code?: number, reason?: string): void;
}

/** How a client connects. Times in ms. */
export interface ConnectorOptions {
  /** Default: the platform's. In Node.js before 22 that of `ws`. */
  readonly WebSocket?: new (
    url: string,
    protocols: string,
  ) => ClientSocket;
  /** Bound of the first wait before a reconnect; it doubles each time. Default 500. */
  readonly minDelay?: number;
  /** Greatest bound. Default 30 000. */
  readonly maxDelay?: number;
  /** Random numbers from 0 to 1, for tests. */
  readonly random?: () => number;
}

export interface ConnectorListener {
  /** The socket is open. */
  opened(): void;
  data(data: unknown): void;
  /** The socket is gone; there will be another. */
  closed(code: number): void;
  status(status: Status): void;
}

type Wake = (event: { readonly type: string }) => void;

/** What browsers have and other platforms may not. */
interface Page {
  readonly WebSocket?: ConnectorOptions['WebSocket'];
  addEventListener?(event: string, listener: Wake): void;
  removeEventListener?(event: string, listener: Wake): void;
  readonly document?: {
    readonly visibilityState: string;
    addEventListener(event: string, listener: Wake): void;
    removeEventListener(event: string, listener: Wake): void;
  };
}

const page = globalThis as unknown as Page;
const WAKING = ['online', 'offline', 'pageshow'];
/** After so much of the time in which the server wants a sign of life the client gives one. */
const BEAT = 0.6;
/** A server that is silent for so many times that is asked once more: it may be busy. */
const PATIENCE = 2.5;
/** Then it has so long. Unit: ms. */
const LAST_MS = 5000;
/** So long may it take to connect and be welcomed. Unit: ms. */
const CONNECT_MS = 20_000;

/** Keeps one socket open, until `close`: another one follows after a random wait. */
export class Connector {
  private urls: readonly string[];
  /** The server has welcomed the client over the socket of now. */
  isEstablished = false;
  private readonly Socket: NonNullable<ConnectorOptions['WebSocket']>;
  private readonly listener: ConnectorListener;
  private readonly backoff: Backoff;
  private socket: ClientSocket | undefined;
  private current: Status = 'waiting';
  private spreadMs = 0;
  private beatMs = 0;
  /** The server said where to go. */
  private isSent = false;
  private beat = (): void => {};
  private heardAt = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private beats: ReturnType<typeof setInterval> | undefined;

  constructor(urls: readonly string[], options: ConnectorOptions, listener: ConnectorListener) {
    this.urls = urls;
    const { WebSocket: Socket = page.WebSocket } = options;
    if (Socket === undefined) {
      const why =
        'this platform has no WebSocket: give one as the option WebSocket, that of the package ws for example';
      throw misuse('SNOW_ERR_BAD_OPTION', why);
    }
    this.Socket = Socket;
    this.listener = listener;
    const { minDelay = 500, maxDelay = 30_000, random = Math.random } = options;
    this.backoff = new Backoff(minDelay, maxDelay, random);
    for (const event of WAKING) page.addEventListener?.(event, this.wake);
    page.document?.addEventListener('visibilitychange', this.wake);
    // The code that made the client can add listeners before anything happens.
    this.timer = setTimeout(() => this.connect(), 0);
  }

  get status(): Status {
    return this.current;
  }

  /** ms since something was heard; nothing yet: since `before`, when that is not 0. */
  away(before: number): number {
    const since = this.heardAt || before;
    return since === 0 ? 0 : Math.max(0, Date.now() - since);
  }

  /** Nothing is sent while there is no open socket. */
  send(data: string | Uint8Array<ArrayBuffer>): void {
    if (this.socket?.readyState === 1) this.socket.send(data);
  }

  /** The server has welcomed the client. @param beat gives a sign of life. */
  established(beatMs: number, spreadMs: number, beat: () => void): void {
    this.isEstablished = true;
    this.beatMs = beatMs;
    this.spreadMs = spreadMs;
    this.beat = beat;
    this.backoff.reset();
    clearTimeout(this.timer);
    if (beatMs > 0)
      this.beats = setInterval(() => {
        beat();
        if (this.silence > beatMs * PATIENCE) this.giveUpAfter(LAST_MS);
      }, beatMs * BEAT);
    this.become('open');
  }

  /** The next socket is to be opened there, if that is possible. */
  goTo(url: unknown): void {
    if (!isUrl(url)) return;
    this.urls = [url, ...this.urls.filter((each) => each !== url)];
    this.isSent = true;
  }

  close(): void {
    const socket = this.forget();
    this.become('closed');
    for (const event of WAKING) page.removeEventListener?.(event, this.wake);
    page.document?.removeEventListener('visibilitychange', this.wake);
    socket?.close(1000);
  }

  private get silence(): number {
    return Date.now() - this.heardAt;
  }

  private connect(): void {
    this.become('connecting');
    const socket = new this.Socket(this.urls[0] as string, SUBPROTOCOL);
    this.socket = socket;
    socket.binaryType = 'arraybuffer';
    const add = (event: string, listener: (event: never) => void): void =>
      socket.addEventListener(event as never, listener as never);
    const on = <T>(event: string, listener: (event: T) => void): void =>
      add(event, (value: T) => {
        if (this.socket === socket) listener(value);
      });
    on('open', () => this.listener.opened());
    on('message', ({ data }: { readonly data: unknown }) => {
      this.heardAt = Date.now();
      this.listener.data(data);
    });
    on('close', ({ code }: { readonly code: number }) => this.lost(code));
    add('error', () => {}); // `close` follows
    this.giveUpAfter(CONNECT_MS);
  }

  /** The socket is gone. */
  private lost(code: number): void {
    this.forget();
    this.listener.closed(code);
    if (!this.isSent) this.urls = [...this.urls.slice(1), ...this.urls.slice(0, 1)];
    this.isSent = false;
    // A server that restarts has spread its clients already.
    const wait = this.backoff.next(code === CloseCode.restart ? 0 : this.spreadMs);
    this.timer = setTimeout(() => this.connect(), wait);
    this.become('waiting');
  }

  /** Unless something is received within `ms`. */
  private giveUpAfter(ms: number): void {
    const since = this.heardAt;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      if (this.heardAt !== since) return;
      const { socket } = this;
      this.lost(1006);
      socket?.close();
    }, ms);
  }

  /** The network is gone or back, or the page is seen again. */
  private readonly wake: Wake = ({ type }) => {
    const isNetwork = type === 'online' || type === 'offline';
    if (!isNetwork && page.document?.visibilityState === 'hidden') return;
    if (this.current === 'waiting') {
      if (type === 'offline') return;
      clearTimeout(this.timer);
      this.connect();
    } else if (this.isEstablished && (isNetwork || this.silence > this.beatMs)) {
      // The connection may be dead: it has little time to show that it is not.
      this.beat();
      this.giveUpAfter(LAST_MS);
    }
  };

  private forget(): ClientSocket | undefined {
    const { socket } = this;
    clearTimeout(this.timer);
    clearInterval(this.beats);
    this.isEstablished = false;
    this.socket = undefined;
    return socket;
  }

  private become(status: Status): void {
    if (this.current === 'closed' || this.current === status) return;
    this.current = status;
    this.listener.status(status);
  }
}

/** Whether a WebSocket can be opened there. A path is relative to the page, where there is one. */
export function isUrl(url: unknown): url is string {
  if (typeof url !== 'string' || url === '' || url.includes('#')) return false;
  if (/^(?:wss?|https?):\/\/[^/?]/i.test(url) || /^wss?\+unix:./i.test(url)) return true;
  return !/^[a-z][a-z\d+.-]*:/i.test(url) && 'location' in page;
}
