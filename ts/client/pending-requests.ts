import type { ClientError } from './errors.ts';

type Request = 'join' | 'leave';

interface Pending {
  readonly what: Request;
  readonly room: string;
  readonly answer: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: ClientError) => void;
}

/** The joins and leaves that the server has not answered yet, each with the number (`ref`) that its answer carries. */
export class PendingRequests {
  private readonly byRef = new Map<number, Pending>();
  /** The last one of each room. */
  private readonly byRoom = new Map<string, Pending>();
  private last = 0;

  /**
   * Adds a request for a room. If the last one for it is the same, that one counts, so that a program that asks again and again, as while it has
   * no connection, does not make them pile up.
   *
   * @param send Sends it with its number.
   * @returns settles with the answer.
   */
  add(what: Request, room: string, send: (ref: number) => void): Promise<void> {
    const before = this.byRoom.get(room);
    if (before?.what === what) return before.answer;
    const ref = ++this.last;
    let settle!: Pick<Pending, 'resolve' | 'reject'>;
    const answer = new Promise<void>((resolve, reject) => (settle = { resolve, reject }));
    const pending = { what, room, answer, ...settle };
    this.byRef.set(ref, pending);
    this.byRoom.set(room, pending);
    send(ref);
    return answer;
  }

  has(room: string): boolean {
    return this.byRoom.has(room);
  }

  /** In the order in which they were added. */
  all(): readonly (readonly [ref: number, what: Request, room: string])[] {
    return [...this.byRef].map(([ref, { what, room }]) => [ref, what, room]);
  }

  /** The server has answered a request. */
  settle(ref: number, error?: ClientError): void {
    const pending = this.byRef.get(ref);
    this.byRef.delete(ref);
    if (pending !== undefined && this.byRoom.get(pending.room) === pending) this.byRoom.delete(pending.room);
    if (error === undefined) pending?.resolve();
    else pending?.reject(error);
  }

  rejectAll(error: ClientError): void {
    for (const { reject } of this.byRef.values()) reject(error);
    this.byRef.clear();
    this.byRoom.clear();
  }
}
