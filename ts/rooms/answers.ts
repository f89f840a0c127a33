// Answers peers that ask for kept messages. A short question can cost as much as a room keeps, so what a turn of the event loop spends on
// answers is limited, and peers are answered in turn.
import type { Runtime } from '../actor/index.ts';
import { OldestFirst } from '../collections/index.ts';
import type { History } from './history.ts';
import { ANSWERED_PER_TURN, MAX_CURSOR, MAX_ENDED, MAX_QUESTIONS, MESSAGE_OVERHEAD_BYTES } from './limits.ts';
import { MAX_TOLD, toldOf } from './messages.ts';
import type { Peers } from './peers.ts';
import type { RoomTable } from './room-table.ts';
import type { RoomsPeer } from './rooms-peer.ts';

/** Estimated cost of an entry of an answer that is no message. Unit: bytes. */
const ENTRY_BYTES = 64;

interface Question {
  readonly ref: number;
  readonly room: string;
  readonly after: readonly (readonly [origin: string, sequence: number])[];
}

/** What one peer asks. */
interface Asking {
  readonly questions: OldestFirst<Question, true>;
  /** Rooms and origins in them. */
  size: number;
}

export class Answers {
  readonly #runtime: Runtime;
  readonly #table: RoomTable;
  readonly #peers: Peers;
  readonly #history: History;
  /** The peer that is answered next comes first. */
  readonly #waiting = new Map<RoomsPeer, Asking>();
  /** Estimated bytes of the answers of this turn of the event loop. */
  #spent = 0;
  #isScheduled = false;

  constructor(runtime: Runtime, table: RoomTable, peers: Peers, history: History) {
    this.#runtime = runtime;
    this.#table = table;
    this.#peers = peers;
    this.#history = history;
  }

  /**
   * Answers a peer with kept messages, at once or in its turn. If its outbox is full, the answer is dropped with all that wait; a question is
   * dropped if too many wait. Then its clients are told `resync`.
   */
  asked(peer: RoomsPeer, question: Question): void {
    this.#schedule();
    const asking = this.#waiting.get(peer);
    if (asking === undefined && this.#spent < ANSWERED_PER_TURN) return this.#answer(peer, question);
    const { questions, size } = asking ?? { questions: new OldestFirst(), size: 0 };
    const larger = size + 1 + question.after.length;
    if (larger > MAX_QUESTIONS) return;
    questions.set(question, true);
    this.#waiting.set(peer, { questions, size: larger });
  }

  /** Drops the questions of a peer that wait: it is lost, takes part no longer, or does not read. */
  forget(peer: RoomsPeer): void {
    this.#waiting.delete(peer);
  }

  close(): void {
    this.#waiting.clear();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(this.#next);
  }

  readonly #next = (): void => {
    this.#isScheduled = false;
    this.#spent = 0;
    if (this.#runtime.isStopped) return this.close();
    for (const [peer, asking] of this.#waiting) {
      this.#schedule();
      if (this.#spent >= ANSWERED_PER_TURN) return;
      const [question] = asking.questions.takeOldest() ?? [];
      this.#waiting.delete(peer);
      if (question === undefined) continue;
      asking.size -= 1 + question.after.length;
      if (asking.questions.size > 0) this.#waiting.set(peer, asking); // behind the others, also in this loop
      this.#answer(peer, question);
    }
  };

  #answer(peer: RoomsPeer, { ref, room, after }: Question): void {
    const known = this.#table.get(room);
    const ring = known?.ring;
    const now = this.#runtime.now();
    const kept = (ring?.keptAfter(new Map(after)) ?? []).slice(-MAX_TOLD);
    const messages = kept.map((message) => toldOf(message, now));
    const newest = (ring?.newestOfAll() ?? []).slice(0, MAX_CURSOR);
    const ended = this.#history.recentlyEnded().slice(-MAX_ENDED);
    const followed = known === undefined ? [] : this.#history.followed(known);
    this.#spent += ENTRY_BYTES * (1 + after.length + newest.length + ended.length + followed.length);
    for (const { content } of kept) this.#spent += MESSAGE_OVERHEAD_BYTES + content.payload.length;
    const present = this.#peers.origins();
    const connected = after.map(([origin]) => origin).filter((origin) => present.has(origin));
    if (!this.#peers.offer(peer, ['told', ref, room, messages, newest, ended, connected, followed]))
      this.forget(peer);
  }
}
