import type { ClientError } from './errors.ts';

type Request = 'join' | 'leave';

interface Pending {
  readonly what: Request;
  readonly room: string;
  readonly resolve: () => void;
  readonly reject: (error: ClientError) => void;
}

/** The joins and leaves that the server has not answered yet, each with the number (`ref`) that its answer carries. */
export class PendingRequests {
  private readonly byRef = new Map<number, Pending>();
  private last = 0;

  /** Adds a request for a room. @param send Sends it with its number. @returns settles with the answer. */
  add(what: Request, room: string, send: (ref: number) => void): Promise<void> {
    const ref = ++this.last;
    return new Promise((resolve, reject) => {
      this.byRef.set(ref, { what, room, resolve, reject });
      send(ref);
    });
  }

  has(room: string): boolean {
    return [...this.byRef.values()].some((each) => each.room === room);
  }

  /** In the order in which they were added. */
  all(): readonly (readonly [ref: number, what: Request, room: string])[] {
    return [...this.byRef].map(([ref, { what, room }]) => [ref, what, room]);
  }

  /** The server has answered a request. */
  settle(ref: number, error?: ClientError): void {
    const pending = this.byRef.get(ref);
    this.byRef.delete(ref);
    if (error === undefined) pending?.resolve();
    else pending?.reject(error);
  }

  rejectAll(error: ClientError): void {
    for (const { reject } of this.byRef.values()) reject(error);
    this.byRef.clear();
  }
}
