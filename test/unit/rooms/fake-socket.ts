// A WebSocket's server end that a test holds, and what a client of the protocol would make of what it is sent.
import {
  type ClientMessage,
  type Cursor,
  type ServerMessage,
  SUBPROTOCOL,
} from '../../../ts/client/index.ts';
import type { RoomSocket } from '../../../ts/rooms/index.ts';

/** As a server has it: `accept` takes it. */
export class FakeSocket implements RoomSocket {
  readonly protocol: string;
  readonly sent: (string | Uint8Array)[] = [];
  bufferedAmount = 0;
  /** It does not take anything: what is sent stays in its buffer. */
  isStuck = false;
  isHeld = false;
  closed: { code: number | undefined; reason: string | undefined } | undefined;
  readonly #listeners = new Map<string, ((...args: unknown[]) => void)[]>();

  constructor(protocol: string = '') {
    this.protocol = protocol;
  }

  send(data: string | Uint8Array): void {
    this.sent.push(typeof data === 'string' ? data : Uint8Array.from(data));
    if (this.isStuck) this.bufferedAmount += data.length;
  }

  close(code?: number, reason?: string): void {
    this.closed = { code, reason };
    this.emit('close', code, reason);
  }

  terminate(): void {
    this.close(1006);
  }

  pause(): void {
    this.isHeld = true;
  }

  resume(): void {
    this.isHeld = false;
  }

  on(event: string, listener: (...args: never[]) => void): void {
    this.#listeners.set(event, [
      ...(this.#listeners.get(event) ?? []),
      listener as (...args: unknown[]) => void,
    ]);
  }

  emit(event: string, ...args: unknown[]): void {
    for (const listener of this.#listeners.get(event) ?? []) listener(...args);
  }

  /** The client sends. */
  say(data: string | Uint8Array): void {
    this.emit('message', typeof data === 'string' ? Buffer.from(data) : data, typeof data !== 'string');
  }

  /** The connection is lost without a word. */
  drop(): void {
    this.emit('close', 1006, '');
  }

  /** What came as text. */
  get texts(): string[] {
    return this.sent.filter((data): data is string => typeof data === 'string');
  }
}

/** A client of the protocol, as a test speaks it by hand. */
export class FakeClient extends FakeSocket {
  /** The socket before: its session and tickets hold until new ones have come. */
  readonly #before: FakeClient | undefined;

  constructor(before?: FakeClient) {
    super(SUBPROTOCOL);
    this.#before = before;
  }

  tell(message: ClientMessage): void {
    this.say(JSON.stringify(message));
  }

  hello(
    session: string | null = null,
    rooms: readonly (readonly [string, string, Cursor])[] = [],
    { fork = false, awayMs = 0 }: { readonly fork?: boolean; readonly awayMs?: number } = {},
  ): void {
    this.tell(['hello', session, rooms, fork, awayMs]);
  }

  get heard(): ServerMessage[] {
    return this.texts.map((text) => JSON.parse(text) as ServerMessage);
  }

  all<T extends ServerMessage[0]>(tag: T): Extract<ServerMessage, readonly [T, ...unknown[]]>[] {
    return this.heard.filter((message): message is never => message[0] === tag);
  }

  get session(): string {
    return this.all('welcome')[0]?.[1].session ?? this.#before?.session ?? '';
  }

  /** Room messages, as data. */
  data(room: string): unknown[] {
    return this.follow(room).data;
  }

  /** What it would resume with. */
  place(room: string): readonly [string, string, Cursor] {
    const { ticket, cursor } = this.follow(room);
    return ticket === '' && this.#before !== undefined ? this.#before.place(room) : [room, ticket, cursor];
  }

  /** What a client makes of all it heard of a room: a message that is not above its cursor is a repeat. */
  private follow(room: string): { data: unknown[]; ticket: string; cursor: Cursor } {
    let ticket = '';
    let cursor: Record<string, number> = {};
    const data: unknown[] = [];
    for (const message of this.heard) {
      if (message[0] === 'joined' && message[2] === room) {
        ticket = message[3];
        cursor = { ...message[4] };
      } else if (message[0] === 'resync' && message[1] === room) {
        ticket = message[2];
        for (const [origin, last] of Object.entries(message[3]))
          cursor[origin] = Math.max(cursor[origin] ?? 0, last);
      } else if (message[0] === 'forget' && message[1] === room) {
        const [, , origin, sequence, origins] = message;
        if (sequence > 0 && sequence <= (cursor[origin] ?? 0)) continue;
        for (const each of origins) delete cursor[each];
        if (sequence > 0) cursor[origin] = sequence;
      } else if (message[0] === 'm' && message[1] === room) {
        const [, , origin, sequence, each] = message;
        if (sequence > 0 && sequence <= (cursor[origin] ?? 0)) continue;
        if (sequence > 0) cursor[origin] = sequence;
        data.push(each);
      }
    }
    return { data, ticket, cursor };
  }
}
