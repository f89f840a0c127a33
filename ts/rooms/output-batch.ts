// Collects everything that is sent in one turn of the event loop. Then the messages of a room are combined once for all members, and each
// socket is written to once.
import { SocketFanOut } from '../node/index.ts';
import { type Frame, Packet } from './frame.ts';
import type { Room } from './room.ts';
import type { RoomMessage } from './room-message.ts';

/** Has packets to write. */
export interface Flushable {
  /** @param fanOut Collects writes of the same bytes to several sockets. */
  flush(fanOut?: SocketFanOut): void;
}

export class OutputBatch {
  /** Messages that are not in the send buffers of the members yet, in order. */
  #log: { readonly room: Room; readonly message: RoomMessage }[] = [];
  #waiting: Flushable[] = [];
  readonly #fanOut = new SocketFanOut();
  #isScheduled = false;

  /** Adds a message for the current members of a room. */
  add(room: Room, message: RoomMessage): void {
    this.#log.push({ room, message });
    this.#schedule();
  }

  /** Flushes an object at the end of this turn. */
  flushLater(flushable: Flushable): void {
    this.#waiting.push(flushable);
    this.#schedule();
  }

  /**
   * Puts all messages into the send buffers of the members. Call it before a member is added or removed, and before anything else is queued for
   * a member: so the order is kept, and a member gets exactly the messages that were sent while it was a member.
   */
  distribute(): void {
    const log = this.#log;
    if (log.length === 0) return;
    this.#log = [];
    for (let from = 0; from < log.length; ) {
      const { room } = log[from] as { room: Room };
      const messages: RoomMessage[] = [];
      for (; log[from]?.room === room; from++) messages.push((log[from] as { message: RoomMessage }).message);
      deliverRun(room, messages);
    }
  }

  flush(): void {
    this.#isScheduled = false;
    this.distribute();
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const each of waiting) each.flush(this.#fanOut);
    this.#fanOut.run();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => this.flush());
  }
}

/** Delivers consecutive messages of one room, in one packet for all members that are excluded from none of them. */
function deliverRun(room: Room, messages: readonly RoomMessage[]): void {
  const { name, members } = room;
  const frameFor = (isPlain: boolean, message: RoomMessage): Frame =>
    isPlain ? message.plain : message.enveloped(name);
  /** Plain connections have no cursors, so they do not get lists of forgotten origins. */
  const messagesFor = (isPlain: boolean): readonly RoomMessage[] =>
    isPlain ? messages.filter(({ forgotten }) => forgotten === undefined) : messages;
  const packets: (Packet | undefined)[] = [undefined, undefined];
  const packetFor = (isPlain: boolean): Packet => {
    const index = isPlain ? 1 : 0;
    packets[index] ??= new Packet(messagesFor(isPlain).map((message) => frameFor(isPlain, message)));
    return packets[index];
  };
  const excluding = messages.filter(({ except }) => except.length > 0);
  for (const member of members) {
    const { isPlain } = member;
    if (excluding.some(({ except }) => member.isExcludedBy(except))) {
      const own = messagesFor(isPlain).filter(
        ({ except }) => except.length === 0 || !member.isExcludedBy(except),
      );
      if (own.length > 0) member.deliver(new Packet(own.map((message) => frameFor(isPlain, message))));
    } else if (packetFor(isPlain).bytes > 0) member.deliver(packetFor(isPlain));
  }
}
