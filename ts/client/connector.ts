import { Backoff, type BackoffOptions } from './backoff.ts';
import { misuse } from './errors.ts';
import { CloseCode, SUBPROTOCOL } from './protocol.ts';

/** The status of a client: `waiting` for its next attempt to connect, `connecting`, `open`, or `closed`: by `close`, or because the server refused it for good. */
export type Status = 'connecting' | 'open' | 'waiting' | 'closed';

/** The part of a WebSocket that the client uses. Those of browsers, of Node.js 22 and of the package `ws` have it. */
export interface ClientSocket {
  binaryType: string;
  readonly readyState: number;
  /** Adds a listener of open, message, close or error. The types are loose: libraries declare them in different ways. */
  addEventListener(event: never, listener: never): void;
  /** Sends text, or bytes that it takes as a Uint8Array; its type is loose for the same reason. */
  send(data: never): void;
  close(code?: number, reason?: string): void;
}

/** How a client connects. Times in ms. */
export interface ConnectorOptions extends BackoffOptions {
  /** Default: the platform's. In Node.js before 22 that of `ws`. */
  readonly WebSocket?: (new (url: string, protocols: string) => ClientSocket) | undefined;
}

/** Gets the events of a Connector. */
export interface ConnectorListener {
  /** A socket is open. */
  opened(): void;
  data(data: unknown): void;
  /** The socket was closed; a new one follows. */
  closed(code: number): void;
  /** The server closed the socket and wants no new one. */
  denied(refusal: { readonly status: 401 | 403; readonly reason: string }): void;
  status(status: Status): void;
}

type PageListener = (event: { readonly type: string }) => void;

/** Globals of browsers that other platforms may lack. */
interface Page {
  readonly WebSocket?: ConnectorOptions['WebSocket'];
  addEventListener?(event: string, listener: PageListener): void;
  removeEventListener?(event: string, listener: PageListener): void;
  readonly document?: {
    readonly visibilityState: string;
    addEventListener(event: string, listener: PageListener): void;
    removeEventListener(event: string, listener: PageListener): void;
  };
}

const page = globalThis as unknown as Page;
/** Events after which the connection is checked at once. */
const PAGE_EVENTS = ['online', 'offline', 'pageshow'];
/** The client sends a heartbeat after this share of the server's heartbeat time. */
const BEAT_SHARE = 0.6;
/** A server that is silent for this multiple of its heartbeat time is probed: it may only be busy. */
const SILENT_BEATS = 2.5;
/** The timeout of a probe. After it the socket is given up. */
const PROBE_MS = 5000;
/** A timer that fires this much late was delayed by something, for example the sleep of a page. Unit: ms. */
const LATE_MS = 1000;
/** After a connection that has lasted this long the delays begin anew: a server may close each client that it has welcomed. Unit: ms. */
const STABLE_MS = 5000;
/** The timeout for connecting and the welcome of the server. */
const CONNECT_MS = 20_000;

/** Keeps one WebSocket open until `close`. After a lost one it opens the next, after a random delay. */
export class Connector {
  private urls: readonly string[];
  /** Whether the server has sent its welcome over the current socket. */
  isEstablished = false;
  private readonly Socket: NonNullable<ConnectorOptions['WebSocket']>;
  private readonly listener: ConnectorListener;
  private readonly backoff: Backoff;
  private socket: ClientSocket | undefined;
  private current: Status = 'waiting';
  private spreadMs = 0;
  private beatMs = 0;
  /** Whether the first URL is the one that the server told the client to connect to. */
  private isRedirected = false;
  private beat = (): void => {};
  /** When the last data came, in ms of `Date.now()` and of `performance.now()`; 0: none yet. */
  private heardAt = 0;
  private heardTick = 0;
  /** `heardAt` when the wait for the answer to a probe began; -1: no probe is under way. */
  private probedAt = -1;
  /** When the welcome came, in ms of `Date.now()`. */
  private openedAt = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private beats: ReturnType<typeof setInterval> | undefined;

  constructor(urls: readonly string[], options: ConnectorOptions, listener: ConnectorListener) {
    this.urls = urls;
    const { WebSocket: Socket = page.WebSocket } = options;
    if (Socket === undefined) {
      const why =
        'this platform has no WebSocket: pass one as the option WebSocket, for example that of the package ws';
      throw misuse('SNOW_ERR_BAD_OPTION', why);
    }
    this.Socket = Socket;
    this.listener = listener;
    this.backoff = new Backoff(options);
    for (const event of PAGE_EVENTS) page.addEventListener?.(event, this.onPageEvent);
    page.document?.addEventListener('visibilitychange', this.onPageEvent);
    // In a later task, so that the code that made the client can add its listeners first.
    this.timer = setTimeout(() => this.connect(), 0);
  }

  get status(): Status {
    return this.current;
  }

  /**
   * ms since data last came. If none came yet: since `before`, or 0 if that is 0. A `before` in the future says that the clock was set back: then
   * nobody knows, and the server must not take it for a short time.
   */
  awayMs(before: number): number {
    if (this.heardAt !== 0) return this.silenceMs;
    const ms = before && Date.now() - before;
    return ms < -LATE_MS ? 1e15 : Math.max(0, ms);
  }

  /** Sends data if the socket is open, otherwise drops it. */
  send(data: string | Uint8Array<ArrayBuffer>): void {
    if (this.socket?.readyState === 1) this.socket.send(data as never);
  }

  /** The welcome of the server came. @param beat Sends a heartbeat, which the server answers. */
  established(beatMs: number, spreadMs: number, beat: () => void): void {
    this.isEstablished = true;
    this.beatMs = beatMs;
    this.spreadMs = spreadMs;
    this.beat = beat;
    this.openedAt = Date.now();
    clearTimeout(this.timer);
    this.probedAt = -1;
    if (beatMs > 0)
      this.beats = setInterval(() => {
        beat();
        if (this.silenceMs > beatMs * SILENT_BEATS) this.awaitAnswer();
      }, beatMs * BEAT_SHARE);
    this.become('open');
  }

  /** Makes `url` the first one for the next socket, if it is a valid one. */
  goTo(url: unknown): void {
    if (!isSocketUrl(url)) return;
    this.urls = [url, ...this.urls.filter((each) => each !== url)];
    this.isRedirected = true;
  }

  close(): void {
    const socket = this.forget();
    this.become('closed');
    for (const event of PAGE_EVENTS) page.removeEventListener?.(event, this.onPageEvent);
    page.document?.removeEventListener('visibilitychange', this.onPageEvent);
    socket?.close(1000);
  }

  /** By the clock that may be set back, or by the one that may stand still in a sleep: whichever says more. */
  private get silenceMs(): number {
    return Math.ceil(Math.max(Date.now() - this.heardAt, performance.now() - this.heardTick));
  }

  private connect(): void {
    this.become('connecting');
    if (this.current === 'closed') return; // by a listener of the status
    let socket: ClientSocket;
    try {
      socket = new this.Socket(this.urls[0] as string, SUBPROTOCOL);
    } catch (error) {
      // The platform refuses this URL: a page of https may not use ws, for example.
      setTimeout(() => {
        throw error;
      });
      return this.giveUp();
    }
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
      this.heardTick = performance.now();
      try {
        this.listener.data(data);
      } catch {
        // It is not of this protocol. What it was is lost, so the session is resumed over another socket.
        this.giveUp();
      }
    });
    on('close', ({ code, reason }: { readonly code: number; readonly reason: string }) => {
      if (code === CloseCode.unauthorized) this.listener.denied({ status: 401, reason });
      else if (code === CloseCode.forbidden) this.listener.denied({ status: 403, reason });
      else this.lost(code);
    });
    add('error', () => {}); // a `close` event follows
    this.giveUpAfter(CONNECT_MS);
  }

  /** The socket was closed: the next URL is tried after a delay. */
  private lost(code: number): void {
    if (this.isEstablished && Date.now() - this.openedAt >= STABLE_MS) this.backoff.reset();
    this.forget();
    this.listener.closed(code);
    if (!this.isRedirected) this.urls = [...this.urls.slice(1), ...this.urls.slice(0, 1)];
    this.isRedirected = false;
    // A server that restarts closes its sockets one by one, so its clients are spread already.
    const wait = this.backoff.next(code === CloseCode.restart ? 0 : this.spreadMs);
    this.timer = setTimeout(() => this.connect(), wait);
    this.become('waiting');
  }

  /** Gives the socket up unless the probe is answered in time. A second probe does not extend the timeout of the first. */
  private awaitAnswer(): void {
    if (this.probedAt === this.heardAt) return;
    this.probedAt = this.heardAt;
    this.giveUpAfter(PROBE_MS);
  }

  /**
   * Gives the socket up after `ms` milliseconds, unless data comes before; before the welcome has come, only the welcome counts. A page that
   * slept may run its timers before it reads what has arrived, so a late timer waits once more, unless `isLast`.
   */
  private giveUpAfter(ms: number, isLast = false): void {
    const since = this.heardAt;
    const due = Date.now() + ms;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      if (this.isEstablished && this.heardAt !== since) return;
      if (!isLast && Date.now() > due + LATE_MS) this.giveUpAfter(PROBE_MS, true);
      else this.giveUp();
    }, ms);
  }

  private giveUp(): void {
    const { socket } = this;
    this.lost(1006);
    socket?.close();
  }

  /** The network was lost or is back, or the page became visible: connects at once, or probes the socket. */
  private readonly onPageEvent: PageListener = ({ type }) => {
    const isNetwork = type === 'online' || type === 'offline';
    if (!isNetwork && page.document?.visibilityState === 'hidden') return;
    if (this.current === 'waiting') {
      if (type === 'offline') return;
      clearTimeout(this.timer);
      this.connect();
    } else if (this.isEstablished && (isNetwork || this.silenceMs > this.beatMs)) {
      // The connection may be dead: the server must answer a heartbeat soon.
      this.beat();
      this.awaitAnswer();
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

/** Whether `url` is the URL of a WebSocket. A relative path is one only in a browser, which has a page. */
export function isSocketUrl(url: unknown): url is string {
  if (typeof url !== 'string' || url === '' || url.includes('#')) return false;
  if (/^(?:wss?|https?):\/\/[^/?]/i.test(url)) return isParsable(url);
  if (/^wss?\+unix:./i.test(url)) return true;
  return !/^[a-z][a-z\d+.-]*:/i.test(url) && 'location' in page;
}

function isParsable(url: string): boolean {
  try {
    return new URL(url).href !== '';
  } catch {
    return false;
  }
}
