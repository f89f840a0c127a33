import type { Cursor } from '../client/index.ts';
import type { Connection } from './connection.ts';
import type { Told } from './history.ts';
import { MAX_CURSOR } from './limits.ts';
import type { Room } from './room.ts';

/** A client that resumes in a room, and what peers are asked for it. */
export class ResumingClient {
  readonly room: Room<Connection>;
  /** The sequence of each origin up to which it has all messages. */
  readonly cursor: Cursor;
  /** Sequences up to which messages are not for it. */
  readonly from: Cursor;
  /** What peers have answered, in all rounds. */
  readonly answers: Told[] = [];
  /** Whether there may be ended origins of which this node does not know what it lacks. */
  readonly #isUnsure: boolean;
  /** The origins that peers are asked for next. */
  readonly #wanted: Set<string>;
  readonly #asked = new Set<string>();
  #isUnanswered = false;

  /** @param wanted The origins that peers are asked for first; some may be named twice. */
  constructor(
    room: Room<Connection>,
    cursor: Cursor,
    from: Cursor,
    isUnsure: boolean,
    wanted: Iterable<string>,
  ) {
    this.room = room;
    this.cursor = cursor;
    this.from = from;
    this.#isUnsure = isUnsure;
    this.#wanted = new Set(wanted);
  }

  /** Whether peers have to be asked once more. */
  get hasQuestions(): boolean {
    return this.#wanted.size > 0;
  }

  /** Whether a peer that is still there has not answered. */
  get isUnanswered(): boolean {
    return this.#isUnanswered;
  }

  /** Takes the origins that peers are asked for now, each with the sequence after which messages are requested. */
  nextQuestions(): [origin: string, sequence: number][] {
    const gaps = this.#gaps();
    return [...this.#wanted].slice(0, MAX_CURSOR).map((origin) => {
      this.#wanted.delete(origin);
      this.#asked.add(origin);
      const seen = Math.max(this.cursor[origin] ?? 0, this.from[origin] ?? 0);
      return [origin, gaps.has(origin) ? seen : Math.max(seen, this.room.ring.newest(origin))];
    });
  }

  /** The answers may be outdated: peers are asked for everything once more. */
  askAllAgain(): void {
    for (const origin of this.#asked) this.#wanted.add(origin);
    this.#asked.clear();
    this.#isUnanswered = false;
  }

  /**
   * The answers hold: peers are asked for the origins that these name, and were not asked for.
   *
   * @param present the origins of the nodes that take part.
   * @param isComplete whether every peer has answered.
   */
  accept(told: readonly Told[], present: ReadonlySet<string>, isComplete: boolean): void {
    this.#isUnanswered ||= !isComplete;
    for (const origin of this.#gaps()) if (!this.#asked.has(origin)) this.#wanted.add(origin);
    for (const { ended } of this.#isUnsure ? told : [])
      for (const [origin] of ended)
        if (!this.#asked.has(origin) && !present.has(origin)) this.#wanted.add(origin);
  }

  /** The origins of which the client has missed messages that are not here. */
  #gaps(): Set<string> {
    const gaps = new Set<string>();
    this.room.ring.missed(this.cursor, this.from, gaps);
    return gaps;
  }
}
