// Presence: the users in a room on all nodes, with the metas of their connections. Each node announces its own connections; those of a peer are
// removed when its session ends. Changes are sent once per turn of the event loop: to peers as entries, to members here as one diff per room.
import type { Runtime } from '../actor/index.ts';
import type { PresenceDiff, PresenceEntry } from '../client/index.ts';
import { checkFunction, SnowmeshError } from '../errors/index.ts';
import type { Work } from '../peer/index.ts';
import type { Connection } from './connection.ts';
import { type Frame, jsonFrame, textFrame } from './frame.ts';
import { MAX_META_BYTES, MAX_PRESENT, MAX_PRESENT_CHARACTERS } from './limits.ts';
import { inParts, type PresentEntry, parts } from './messages.ts';
import type { Peers } from './peers.ts';
import { type PresenceOwner, PresenceTable, type Tracked } from './presence-table.ts';
import { keyRoom } from './room.ts';
import { jsonText } from './room-message.ts';
import type { RoomTable } from './room-table.ts';
import type { RoomsPeer } from './rooms-peer.ts';

/** Most rooms whose encoded presence is cached. */
const MAX_SHOWN = 16;
/** So many changes of one are kept for the next join, however few entries it has. */
const FEW_CHANGES = 100;

/** The encoded presence of a room. */
interface Shown {
  /** The entry of each key as JSON. */
  readonly texts: Map<string, string>;
  /** Keys that have changed since they were encoded. */
  readonly stale: Set<string>;
  /** All of it; undefined: a key has changed since. */
  frames: readonly Frame[] | undefined;
}

/** The current presence of one room. */
export interface Presence {
  readonly room: string;
  /** The number of keys. O(1). */
  readonly size: number;
  /** Each key with the metas of its connections. O(connections). */
  entries(): PresenceEntry[];
  /** The metas of the connections of a key; empty: the key is not in the room. Throws SNOW_ERR_BAD_NAME for an invalid key. */
  metas(key: string): readonly unknown[];
  /**
   * Calls the listener with the changes, at most once per turn of the event loop. Returns a function that removes the listener. Throws
   * SNOW_ERR_BAD_ARGUMENT when the listener is not a function.
   */
  onDiff(listener: (diff: PresenceDiff) => void): () => void;
}

export class PresenceService {
  readonly #runtime: Runtime;
  readonly #peers: Peers;
  readonly #rooms: RoomTable;
  readonly #table = new PresenceTable((room, key) => {
    const shown = this.#shown.get(room);
    shown?.stale.add(key);
    if (shown !== undefined) shown.frames = undefined;
    // Nobody may join the room here again, while keys of peers come and go: with more changes than entries it is encoded anew.
    if (shown !== undefined && shown.stale.size > Math.max(shown.texts.size, FEW_CHANGES))
      this.#shown.delete(room);
    this.#schedule();
  });
  /** Oldest first. A join encodes only the keys that have changed since the last one. */
  readonly #shown = new Map<string, Shown>();
  /** Clients that have much to read, and the rooms whose presence they get after that: until then they get no changes of it. */
  readonly #behind = new Map<Connection, Set<string>>();
  readonly #own: PresenceOwner = {};
  readonly #listeners = new Map<string, Set<(diff: PresenceDiff) => void>>();
  /** Connections of this node whose last change peers do not know yet. */
  #untold = new Set<Tracked>();
  #isScheduled = false;

  constructor(runtime: Runtime, peers: Peers, rooms: RoomTable) {
    this.#runtime = runtime;
    this.#peers = peers;
    this.#rooms = rooms;
  }

  of(room: string): Presence {
    const table = this.#table;
    return {
      room,
      get size() {
        return table.size(room);
      },
      entries: () => table.entries(room),
      metas: (key) => {
        keyRoom(key);
        return table.metas(room, key);
      },
      onDiff: (listener) => {
        checkFunction('onDiff', listener);
        return this.#listen(room, listener);
      },
    };
  }

  /** @throws SNOW_ERR_UNSENDABLE, SNOW_ERR_TOO_LARGE */
  track(connection: Connection, room: string, meta: unknown): void {
    const text = metaText(meta);
    if (!connection.isOpen) return; // perhaps since then: a `toJSON` may close it
    const { key, id } = connection;
    this.#tell(this.#table.set(this.#own, room, key ?? id, id, text));
  }

  untrack(connection: Connection, room: string): boolean {
    const tracked = this.#table.remove(this.#own, room, connection.id);
    if (tracked !== undefined) this.#tell(tracked);
    return tracked !== undefined;
  }

  /** Removes a connection that has ended. O(rooms in which it was tracked). */
  ended(connection: Connection): void {
    for (const { room } of this.#table.ofConnection(this.#own, connection.id)) this.untrack(connection, room);
  }

  /** Gives a connection the id of the session that it resumes. O(rooms in which it was tracked). */
  rename(connection: Connection, id: string): void {
    const seen = this.#table.ofConnection(this.#own, connection.id);
    this.ended(connection);
    (connection as { id: string }).id = id; // all other code sees it as read-only
    for (const { room, meta } of seen)
      this.#tell(this.#table.set(this.#own, room, connection.key ?? id, id, meta));
  }

  /**
   * Sends the presence of a room to a client that has joined it, once it has read what waits for it: a presence may be long. It gets later
   * changes as a member.
   *
   * @param isResumed The client may know an earlier presence: an empty one is sent, too.
   */
  show(connection: Connection, room: string, isResumed = false): void {
    if (connection.isPlain || (!this.#table.has(room) && !isResumed)) return;
    const behind = this.#behind.get(connection);
    if (behind !== undefined) behind.add(room);
    else if (connection.mayQueue) this.#sendAll(connection, room);
    else void this.#showLater(connection, room);
  }

  async #showLater(connection: Connection, first: string): Promise<void> {
    const rooms = new Set([first]);
    this.#behind.set(connection, rooms);
    for (const room of rooms) {
      await connection.untilRead();
      rooms.delete(room);
      if (connection.joined.has(room)) this.#sendAll(connection, room);
    }
    this.#behind.delete(connection);
  }

  #sendAll(connection: Connection, room: string): void {
    let shown = this.#shown.get(room);
    if (shown === undefined) {
      shown = { texts: new Map(), stale: new Set(this.#table.keys(room)), frames: undefined };
      this.#shown.set(room, shown);
      if (this.#shown.size > MAX_SHOWN) this.#shown.delete(this.#shown.keys().next().value as string);
    }
    for (const key of shown.stale) {
      const text = this.#table.entryText(room, key);
      if (text === undefined) shown.texts.delete(key);
      else shown.texts.set(key, text);
    }
    shown.stale.clear();
    shown.frames ??= [textFrame(`["present",${JSON.stringify(room)},[${[...shown.texts.values()].join()}]]`)];
    connection.notifyFrames(shown.frames);
  }

  /** Tells a peer all tracked connections of this node, some at a time. Changes are told meanwhile. */
  tellAll(peer: RoomsPeer): Work {
    return inParts(
      this.#table.owned(this.#own),
      (tracked) => (tracked.hasLeft ? undefined : told(tracked)),
      (part) => this.#peers.send(peer, ['presence', part]),
    );
  }

  /** A peer tells changes of its connections. */
  received(peer: RoomsPeer, entries: readonly PresentEntry[]): void {
    for (const [room, key, connection, meta] of entries) {
      if (meta === null) this.#table.remove(peer, room, connection);
      else if (this.#hasRoom(peer)) this.#table.set(peer, room, key, connection, meta);
      else this.#peers.suspect(peer, 'more connections, or longer metas, than a node may show');
    }
  }

  #hasRoom(peer: RoomsPeer): boolean {
    return this.#table.count(peer) < MAX_PRESENT && this.#table.characters(peer) < MAX_PRESENT_CHARACTERS;
  }

  /** A peer is lost, or sends its connections again. The result removes those that it had, one at a time. */
  lost(peer: RoomsPeer): Work {
    return this.#table.drop(peer);
  }

  #tell(tracked: Tracked): void {
    if (tracked.hasLeft && !tracked.isTold) this.#untold.delete(tracked);
    else this.#untold.add(tracked);
    this.#schedule();
  }

  #listen(room: string, listener: (diff: PresenceDiff) => void): () => void {
    const listeners = this.#listeners.get(room) ?? new Set();
    this.#listeners.set(room, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) this.#listeners.delete(room);
    };
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => this.#flush());
  }

  #flush(): void {
    this.#isScheduled = false;
    const untold = this.#untold;
    this.#untold = new Set();
    for (const part of parts(Array.from(untold, told))) this.#peers.sendAll(['presence', part]);
    for (const [room, diff] of this.#table.takeChanges((each) => this.#isWatched(each))) {
      for (const listener of this.#listeners.get(room) ?? []) this.#runtime.guard(() => listener(diff));
      this.#sendDiff(room, diff);
    }
  }

  /** Whether a listener or a member here gets the changes of a room. */
  #isWatched(room: string): boolean {
    return this.#listeners.has(room) || (this.#rooms.get(room)?.members.size ?? 0) > 0;
  }

  /** Sends a diff to all members here, encoded once. */
  #sendDiff(room: string, diff: PresenceDiff): void {
    const members = this.#rooms.get(room)?.members;
    if (members === undefined || members.size === 0) return;
    const frames = [jsonFrame(['presence', room, diff])];
    for (const member of members)
      if (!member.isPlain && this.#behind.get(member)?.has(room) !== true) member.notifyFrames(frames);
  }
}

/** The entry for peers about a connection. */
function told(tracked: Tracked): PresentEntry {
  const { room, key, connection, meta, hasLeft } = tracked;
  tracked.isTold = true;
  return [room, key, connection, hasLeft ? null : meta];
}

function metaText(meta: unknown): string {
  const text = jsonText('meta', meta);
  const bytes = Buffer.byteLength(text);
  if (bytes <= MAX_META_BYTES) return text;
  throw new SnowmeshError(
    'SNOW_ERR_TOO_LARGE',
    `a meta of ${bytes} bytes exceeds the limit of ${MAX_META_BYTES}`,
  );
}
