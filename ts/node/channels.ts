// Channels carry control traffic of the layers above; each has a name. A message is any term in a SYSTEM frame. A full outbox drops
// only messages that carry user data. A message keeps its order with other frames of the same sender, and is lost with the session.
import { SnowmeshError } from '../errors/index.ts';
import { type Pid, type RefCipher, TermTemplate } from '../term/index.ts';
import { FrameTag } from '../wire/index.ts';
import type { Outgoing } from './session/outgoing.ts';
import type { Session } from './session/session.ts';

/** A connected peer. A channel gets the same object from `up` to `down`. */
export interface ChannelPeer {
  readonly node: string;
  readonly incarnation: bigint;
  /** The number of this incarnation on this node: `pid.nc === peer.nc` for its PIDs. */
  readonly nc: number;
  readonly hidden: boolean;
  /** Counts connections of this node. */
  readonly connection: number;
}

/** The callbacks of a channel's owner. An error that one throws is logged and has no other effect. */
export interface ChannelListener {
  /** Called before the first message of a peer. For sessions that are up already, it is called while the channel is opened. */
  up(peer: ChannelPeer): void;
  /** `value` is any term: a peer that holds the cookie may still send anything. */
  message(peer: ChannelPeer, value: unknown): void;
  /** A ROOM_BROADCAST frame: for the channel `rooms` only. The listener may keep and change `payload`. */
  room?(peer: ChannelPeer, room: string, payload: Uint8Array, details: unknown): void;
  /** Called after the last message of a peer. Links, monitors and calls over the session fire after it, and before the next `up`. */
  down(peer: ChannelPeer): void;
}

/** A channel, for its owner. */
export interface Channel {
  /** The peers with a session now. */
  peers(): IterableIterator<ChannelPeer>;
  peer(node: string): ChannelPeer | undefined;
  /**
   * Sends to the owner of the channel of the same name on `peer`. The message is dropped when that channel is not open there.
   *
   * @param from the local actor that sends: the message keeps its order with others of that actor. Undefined: no actor.
   * @throws SNOW_ERR_UNSENDABLE, SNOW_ERR_TOO_DEEP, SNOW_ERR_TOO_LARGE.
   */
  send(peer: ChannelPeer, value: unknown, from?: Pid): void;
  /** Undefined: there is room for long output to a peer; else resolves when there is, or when its session has ended. */
  whenWritable(peer: ChannelPeer): Promise<void> | undefined;
  /**
   * Sends user data to some peers. The value is encoded once. O(size + peers · bytes).
   *
   * @returns the peers that do not get it, because their outbox is full or their session has ended.
   * @throws SNOW_ERR_UNSENDABLE, SNOW_ERR_TOO_DEEP, SNOW_ERR_TOO_LARGE, before any peer gets it.
   */
  broadcast(peers: Iterable<ChannelPeer>, value: unknown, from?: Pid): ChannelPeer[];
  /**
   * Sends a ROOM_BROADCAST frame to some peers, in order with what else was sent for the same actor. O(peers · bytes).
   *
   * @param details any term except an object with keys.
   * @returns the peers that do not get it, as with `broadcast`.
   */
  broadcastRoom(
    peers: Iterable<ChannelPeer>,
    room: string,
    payload: Uint8Array,
    details: unknown,
    from?: Pid,
  ): ChannelPeer[];
  /**
   * Ends the session with a peer that breaks the protocol of this channel. Frames of it that have arrived are dropped, its `nodedown` has
   * the cause `protocol`, and the mesh dials it again only if a discovery or a peer lists it.
   *
   * @param rule the rule that the peer broke, for the log and for `connectFailure`.
   */
  end(peer: ChannelPeer, rule: string): void;
  close(): void;
}

/** The channel that ROOM_BROADCAST frames belong to. */
const ROOMS = 'rooms';

interface Live extends ChannelPeer {
  readonly session: Session;
  readonly outgoing: Outgoing;
}

export class Channels {
  readonly #listeners = new Map<string, ChannelListener>();
  readonly #peers = new Map<string, Live>();
  readonly #template: TermTemplate;
  readonly #guard: (action: () => void) => void;
  readonly #end: (session: Session, rule: string) => void;

  /**
   * @param guard runs code of listeners and reports what it throws. @param refs hides the ids of this node's references.
   * @param end ends a session whose peer breaks a rule.
   */
  constructor(
    guard: (action: () => void) => void,
    refs: RefCipher,
    end: (session: Session, rule: string) => void,
  ) {
    this.#template = new TermTemplate(refs);
    this.#guard = guard;
    this.#end = end;
  }

  /**
   * Opens a channel.
   *
   * @throws SNOW_ERR_ALREADY_STARTED when one of the same name is open.
   */
  open(name: string, listener: ChannelListener): Channel {
    if (this.#listeners.has(name)) {
      const why = `${name} was started on this node already: use what the first call returned, or close that first`;
      throw new SnowmeshError('SNOW_ERR_ALREADY_STARTED', why, { details: { channel: name } });
    }
    this.#listeners.set(name, listener);
    const isOpen = (): boolean => this.#listeners.get(name) === listener;
    const channel: Channel = {
      peers: () => this.#peers.values(),
      peer: (node) => this.#peers.get(node),
      send: (peer, value, from) => isOpen() && this.#send(name, peer as Live, value, from),
      whenWritable: (peer) => (peer as Live).outgoing.whenWritable(),
      broadcast: (peers, value, from) => (isOpen() ? this.#broadcast(name, peers, value, from) : [...peers]),
      broadcastRoom: (peers, room, payload, details, from) =>
        isOpen() ? this.#broadcastRoom(peers, room, payload, details, from) : [...peers],
      end: (peer, rule) => {
        const live = peer as Live;
        if (this.#peers.get(live.node) === live) this.#end(live.session, `channel ${name}: ${rule}`);
      },
      close: () => void (isOpen() && this.#listeners.delete(name)),
    };
    for (const peer of this.#peers.values()) this.#guard(() => listener.up(peer));
    return channel;
  }

  up(session: Session): void {
    const { identity, outgoing } = session;
    const peer: Live = {
      node: identity.name,
      incarnation: identity.incarnation,
      nc: identity.nc,
      hidden: session.isHidden,
      connection: session.serial,
      session,
      outgoing,
    };
    this.#peers.set(identity.name, peer);
    for (const listener of this.#listeners.values()) this.#guard(() => listener.up(peer));
  }

  down(session: Session): void {
    const peer = this.#peers.get(session.identity.name);
    if (peer === undefined || peer.connection !== session.serial) return;
    this.#peers.delete(peer.node);
    for (const listener of this.#listeners.values()) this.#guard(() => listener.down(peer));
  }

  message(session: Session, name: string, value: unknown): void {
    const peer = this.#peers.get(session.identity.name);
    if (peer === undefined || peer.connection !== session.serial) return;
    const listener = this.#listeners.get(name);
    if (listener !== undefined) this.#guard(() => listener.message(peer, value));
  }

  /** A ROOM_BROADCAST frame has arrived. */
  room(session: Session, room: string, payload: Uint8Array, details: unknown): void {
    const peer = this.#peers.get(session.identity.name);
    if (peer === undefined || peer.connection !== session.serial) return;
    const listener = this.#listeners.get(ROOMS);
    if (listener?.room !== undefined) this.#guard(() => listener.room?.(peer, room, payload, details));
  }

  #send(name: string, peer: Live, value: unknown, from: Pid | undefined): void {
    if (this.#peers.get(peer.node) !== peer) return;
    peer.outgoing.signal(from === undefined ? 0 : from.local, FrameTag.SYSTEM, (frame) => {
      frame.name(name);
      frame.term(value);
    });
  }

  #broadcast(
    name: string,
    peers: Iterable<ChannelPeer>,
    value: unknown,
    from: Pid | undefined,
  ): ChannelPeer[] {
    const { open, refused } = this.#writable(peers);
    const [first] = open;
    if (first === undefined) return refused;
    if (open.length === 1) {
      this.#send(name, first, value, from);
      return refused;
    }
    const template = this.#template;
    template.write(value);
    for (const { outgoing } of open) {
      outgoing.signal(from === undefined ? 0 : from.local, FrameTag.SYSTEM, (frame) => {
        frame.name(name);
        if (!frame.template(template)) frame.term(value);
      });
    }
    return refused;
  }

  #broadcastRoom(
    peers: Iterable<ChannelPeer>,
    room: string,
    payload: Uint8Array,
    details: unknown,
    from: Pid | undefined,
  ): ChannelPeer[] {
    const { open, refused } = this.#writable(peers);
    for (const { outgoing } of open) {
      outgoing.signal(from === undefined ? 0 : from.local, FrameTag.ROOM_BROADCAST, (frame) => {
        frame.name(room);
        frame.blob(payload);
        frame.term(details);
      });
    }
    return refused;
  }

  /** Splits `peers` into those that take user data and those whose outbox is full or whose session has ended. */
  #writable(peers: Iterable<ChannelPeer>): { open: Live[]; refused: ChannelPeer[] } {
    const refused: ChannelPeer[] = [];
    const open: Live[] = [];
    for (const peer of peers) {
      const live = peer as Live;
      if (this.#peers.get(live.node) !== live || live.outgoing.isFull) refused.push(live);
      else open.push(live);
    }
    return { open, refused };
  }
}
