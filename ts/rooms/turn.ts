// One turn of the event loop gathers everything that goes out: the messages of a room are put together once for all its
// members, and each socket is written to once.
import { Spread } from '../node/index.ts';
import { type Frame, Packet } from './frame.ts';
import type { Room } from './room.ts';
import type { RoomMessage } from './room-message.ts';

/** What has packets to write. */
export interface Flushable {
  /** @param spread takes what can be written together with the same bytes of others. */
  flush(spread?: Spread): void;
}

export class Turn {
  /** Messages that no member has in its queue yet, in order. */
  #log: { readonly room: Room; readonly message: RoomMessage }[] = [];
  #waiting: Flushable[] = [];
  readonly #spread = new Spread();
  #isScheduled = false;

  /** A message for the members that a room has now. */
  add(room: Room, message: RoomMessage): void {
    this.#log.push({ room, message });
    this.#schedule();
  }

  /** Something is to be flushed at the end of this turn. */
  touch(flushable: Flushable): void {
    this.#waiting.push(flushable);
    this.#schedule();
  }

  /**
   * Puts all messages so far into the queues of their members. To be called before a member comes or goes, and before anything
   * else is queued for one: so each has what was sent before, and nothing of what was sent when it was no member.
   */
  settle(): void {
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
    this.settle();
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const each of waiting) each.flush(this.#spread);
    this.#spread.run();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => this.flush());
  }
}

/** Messages of one room that follow each other: one packet for all members that are not excluded from any. */
function deliverRun(room: Room, messages: readonly RoomMessage[]): void {
  const { name, members } = room;
  const frameFor = (isPlain: boolean, message: RoomMessage): Frame =>
    isPlain ? message.plain : message.enveloped(name);
  /** What is told of origins means something to clients of the subprotocol only. */
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
