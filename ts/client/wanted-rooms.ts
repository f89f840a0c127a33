import { Backoff, type BackoffOptions } from './backoff.ts';

/** What the client does about a room that it wants, and is not in. */
interface Rejoin {
  readonly backoff: Backoff;
  timer: ReturnType<typeof setTimeout> | undefined;
  /** Messages may have been missed since it was in the room. */
  hasMissed: boolean;
}

/** The rooms that the client joins again after a reconnect, and after a failure of the server. */
export class WantedRooms {
  private readonly rooms = new Map<string, Rejoin>();
  private readonly options: BackoffOptions;
  private readonly ask: (room: string) => void;

  /** @param ask Asks the server for a room again. */
  constructor(options: BackoffOptions, ask: (room: string) => void) {
    this.options = options;
    this.ask = ask;
  }

  names(): string[] {
    return [...this.rooms.keys()];
  }

  add(room: string): void {
    if (!this.rooms.has(room)) this.rooms.set(room, this.begin());
  }

  delete(room: string): void {
    clearTimeout(this.rooms.get(room)?.timer);
    this.rooms.delete(room);
  }

  /** The client was let out of a room. Returns whether it is wanted: then `entered` tells that messages were missed. */
  missed(room: string): boolean {
    const rejoin = this.rooms.get(room);
    if (rejoin !== undefined) rejoin.hasMissed = true;
    return rejoin !== undefined;
  }

  /** Asks the server at once, if the room is wanted. */
  again(room: string): void {
    if (this.rooms.has(room)) this.ask(room);
  }

  /** The server has failed to decide: it is asked again after a delay, which grows with each failure. */
  failed(room: string): void {
    const rejoin = this.rooms.get(room);
    if (rejoin === undefined) return;
    clearTimeout(rejoin.timer);
    rejoin.timer = setTimeout(() => this.ask(room), rejoin.backoff.next(0));
  }

  /** The client is in a room. Returns whether it has missed messages since it was in it before. */
  entered(room: string): boolean {
    const rejoin = this.rooms.get(room);
    if (rejoin === undefined) return false;
    clearTimeout(rejoin.timer);
    this.rooms.set(room, this.begin());
    return rejoin.hasMissed;
  }

  close(): void {
    for (const room of this.names()) this.delete(room);
  }

  private begin(): Rejoin {
    return { backoff: new Backoff(this.options), timer: undefined, hasMissed: false };
  }
}
