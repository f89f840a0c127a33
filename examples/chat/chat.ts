// The chat itself: what a client may send, and what follows. It knows neither HTTP nor processes.
import type { Connection, RoomsOptions } from '../../ts/rooms/index.ts';
import { ROOMS } from './places.ts';

/** What a page sends. */
export type FromPage =
  /** The user looks at this room: its people see that. */
  | { readonly type: 'look'; readonly room: string }
  | { readonly type: 'typing'; readonly room: string; readonly isTyping: boolean }
  /** `id` is the page's own: it recognizes its message by it when it comes back. */
  | { readonly type: 'say'; readonly room: string; readonly text: string; readonly id: string }
  | { readonly type: 'kill'; readonly pid: number };

/** A message as everybody in the room gets it. */
export interface Said {
  readonly id: string;
  readonly from: string;
  /** Letter of the node that took it. */
  readonly node: string;
  readonly text: string;
  /** When it was taken: ms since 1970. */
  readonly at: number;
}

/** What people see of each other. */
export interface Meta {
  readonly node: string;
  readonly isTyping: boolean;
}

const MAX_TEXT = 2000;
const MAX_NAME = 24;
const isRoom = (room: unknown): room is string => (ROOMS as readonly unknown[]).includes(room);

/** Takes what a page sent apart. Pages are not to be trusted: what throws here is refused, and nothing else happens. */
export function parse(data: unknown): FromPage {
  const { type, room, text, id, isTyping, pid } = Object(data) as Record<string, unknown>;
  if (type === 'kill' && Number.isInteger(pid)) return { type, pid: pid as number };
  if (!isRoom(room)) throw new Error('there is no such room');
  if (type === 'look') return { type, room };
  if (type === 'typing' && typeof isTyping === 'boolean') return { type, room, isTyping };
  if (type === 'say' && typeof text === 'string' && typeof id === 'string' && id.length <= 64) {
    const trimmed = text.trim();
    if (trimmed !== '' && trimmed.length <= MAX_TEXT) return { type, room, text: trimmed, id };
  }
  throw new Error('this is nothing that a page sends');
}

/** The name that a page asks for; undefined: it cannot be one. */
export function nameFrom(url: string): string | undefined {
  const name = new URLSearchParams(url.split('?', 2)[1]).get('name')?.trim() ?? '';
  return name !== '' && name.length <= MAX_NAME ? name : undefined;
}

/**
 * The handler of all connections of one node.
 *
 * @param node its letter. @param greet tells a page that has just connected where it is. @param die ends this process.
 */
export function chatOn(
  node: string,
  { greet, die }: { greet: (connection: Connection) => void; die: () => void },
): RoomsOptions<unknown, FromPage> {
  /** Shows a user in one room, and in no other. */
  const show = (connection: Connection, room: string, isTyping: boolean): void => {
    for (const other of ROOMS) if (other !== room) connection.untrack(other);
    connection.track(room, { node, isTyping } satisfies Meta);
  };
  return {
    parse,
    join: (_connection, room) => isRoom(room),
    open: (connection) => greet(connection),
    message(connection, message) {
      switch (message.type) {
        case 'look':
          return show(connection, message.room, false);
        case 'typing':
          return show(connection, message.room, message.isTyping);
        case 'say': {
          const { id, text, room } = message;
          const from = connection.key as string;
          return connection.broadcast(room, { id, from, node, text, at: Date.now() } satisfies Said);
        }
        case 'kill':
          // A process that dies says nothing, so the client sends this once more, to another node. That one is not meant.
          if (message.pid === process.pid) die();
      }
    },
  };
}
