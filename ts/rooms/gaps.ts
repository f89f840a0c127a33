// Messages of an origin that are missing before others, or after them: after a netsplit, or a full outbox. They are fetched as long as they can
// still come, and later messages wait for them.
//
//   gap ──ask──▶ told ──▶ delivered in order; resync for what the origin no longer keeps
//    │             ├─ not all, by another peer: the origin may connect again; a third peer may have them
//    │             └─ none: the peer stands still, or is lost. It may answer later, or connect again; another peer may have them
//    └─ window over ──▶ resync, and what has come
import type { Runtime } from '../actor/index.ts';
import type { Connection } from './connection.ts';
import type { History } from './history.ts';
import { HISTORY_MS, type ResumeLimits } from './limits.ts';
import type { Peers } from './peers.ts';
import type { Room } from './room.ts';
import type { RoomMessage } from './room-message.ts';
import type { RoomTable } from './room-table.ts';
import { logKey, type RoomsPeer } from './rooms-peer.ts';

/** Gets what changes with fetched messages. */
export interface GapsListener {
  /** A message is the next one of its origin for the members. */
  next(room: Room<Connection>, message: RoomMessage): void;
  /** Further messages of an ended origin arrived. */
  late(room: Room<Connection>, origin: string): void;
  /** Messages are missing and can no longer come. */
  gap(room: Room<Connection>): void;
}

export class Gaps {
  readonly #runtime: Runtime;
  readonly #table: RoomTable;
  readonly #peers: Peers;
  readonly #history: History;
  readonly #resume: ResumeLimits;
  readonly #listener: GapsListener;
  /** How to end the wait for each origin and room with a gap. */
  readonly #waiting = new Map<string, () => void>();

  constructor(
    runtime: Runtime,
    table: RoomTable,
    peers: Peers,
    resume: ResumeLimits,
    history: History,
    listener: GapsListener,
  ) {
    this.#runtime = runtime;
    this.#table = table;
    this.#peers = peers;
    this.#history = history;
    this.#resume = resume;
    this.#listener = listener;
  }

  /** Keeps a message of a peer before which messages are missing, and fetches those. */
  outOfOrder(peer: RoomsPeer, room: Room<Connection>, message: RoomMessage): void {
    room.ring.hold(message, this.#resume);
    this.#table.kept(room);
    this.fill(peer, room, peer.origin);
  }

  /** Fetches the missing messages of an origin from a peer. The origin is the peer's own, or has ended. */
  fill(peer: RoomsPeer, room: Room<Connection>, origin: string): void {
    const what = logKey(origin, room.name);
    this.#wait(what, room, origin);
    if (peer.asked.has(what)) return;
    peer.asked.add(what);
    const after = (): [string, number][] => [[origin, room.ring.last(origin) ?? 0]];
    this.#history.askUntilAnswered(peer, room.name, after, (told) => {
      peer.asked.delete(what);
      if (this.#table.get(room.name) !== room) return this.#settle(what, room, origin);
      // An origin that has reconnected in the meantime sends its messages itself.
      if (told === undefined || (origin !== peer.origin && this.#peers.hasOrigin(origin))) return;
      const before = room.ring.newestKept(origin);
      const messages = told.messages.filter((message) => message.origin === origin);
      const newest = told.newest.find(([each]) => each === origin)?.[1] ?? 0;
      room.ring.merge(messages, this.#resume);
      if (origin === peer.origin) {
        this.#settle(what, room, origin);
        this.#skip(room, origin);
        this.#skipTo(room, origin, newest); // what it has sent and no longer keeps
        return;
      }
      // The peer may miss some, too: the origin has them if its node only stands still, and so may other peers.
      room.ring.noteNewestFromPeer(origin, newest);
      this.#advance(room, origin);
      const last = room.ring.last(origin);
      if (last === undefined || last >= room.ring.newest(origin)) this.#settle(what, room, origin);
      if (room.ring.newestKept(origin) !== before) this.#listener.late(room, origin);
    });
  }

  /** A node that stops has handed over messages of an origin, which has ended or is its own. If others before them are missing, they are awaited. */
  handedOver(room: Room<Connection>, origin: string): void {
    this.#advance(room, origin);
    const last = room.ring.last(origin);
    if (last !== undefined && last < room.ring.newest(origin))
      this.#wait(logKey(origin, room.name), room, origin);
    this.#listener.late(room, origin);
  }

  close(): void {
    for (const end of this.#waiting.values()) end();
    this.#waiting.clear();
  }

  /** After the window no node keeps what is missing. A gap that is filled meanwhile, in whatever way, is none then. */
  #wait(what: string, room: Room<Connection>, origin: string): void {
    if (this.#waiting.has(what)) return;
    const end = this.#runtime.after(Math.max(this.#resume.windowMs, HISTORY_MS), () => {
      this.#settle(what, room, origin);
      if (this.#table.get(room.name) !== room) return;
      this.#skip(room, origin);
      this.#skipTo(room, origin, room.ring.newest(origin));
    });
    this.#waiting.set(what, end);
    room.ring.setAwaited(origin, true);
  }

  #settle(what: string, room: Room<Connection>, origin: string): void {
    room.ring.setAwaited(origin, false);
    this.#waiting.get(what)?.();
    this.#waiting.delete(what);
  }

  /** Delivers what can be delivered in order. If messages before it are still missing, members are told `resync`. */
  #skip(room: Room<Connection>, origin: string): void {
    this.#advance(room, origin);
    while (room.ring.skipGap(origin)) {
      this.#listener.gap(room);
      this.#advance(room, origin);
    }
  }

  /** Gives up the messages up to `newest`: if some are missing, members are told `resync`. */
  #skipTo(room: Room<Connection>, origin: string, newest: number): void {
    if (newest <= (room.ring.last(origin) ?? 0)) return;
    room.ring.startAt(origin, newest);
    this.#listener.gap(room);
  }

  #advance(room: Room<Connection>, origin: string): void {
    for (const message of room.ring.advance(origin)) this.#listener.next(room, message);
    this.#table.kept(room);
  }
}
