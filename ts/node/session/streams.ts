// Keeps the order of long messages to one peer.
//
// A frame too long for the chunk is sent in fragments on a stream, and small frames overtake it. Later frames of the same
// sender must not overtake it (B1), so they are sent on the same stream until the native core has reported all its
// frames as sent. Senders are local actor ids; 0 means code outside of actors.

/** Open streams of one session; a peer accepts 1 024. Above this, senders share streams, which keeps their order too. */
export const MAX_STREAMS = 512;

interface Stream {
  readonly id: number;
  readonly senders: number[];
  /** Lengths of the frames that are not yet reported as sent, oldest first. */
  readonly outstanding: number[];
}

/** The open streams of one session. */
export class Streams {
  /** True while no stream is open; the only check on the hot path. */
  isEmpty = true;
  /** Bytes of the frames that are not yet reported as sent. */
  bytes = 0;
  readonly #bySender = new Map<number, Stream>();
  readonly #open: Stream[] = [];
  readonly #free: number[] = [];
  #next = 1;
  #turn = 0;

  /** Whether a long message of `sender` is under way: its next frame must not overtake it. */
  has(sender: number): boolean {
    return this.#bySender.has(sender);
  }

  /** Adds a frame of `sender` to its stream, opened if it has none. Returns the stream's id. */
  enter(sender: number, bytes: number): number {
    const stream = this.#bySender.get(sender) ?? this.#join(sender);
    stream.outstanding.push(bytes);
    this.bytes += bytes;
    return stream.id;
  }

  /** `frames` frames of a stream have been sent. An empty stream is closed, and its senders are removed. */
  done(id: number, frames: number): void {
    const at = this.#open.findIndex((stream) => stream.id === id);
    const stream = this.#open[at];
    if (stream === undefined) return;
    for (const bytes of stream.outstanding.splice(0, frames)) this.bytes -= bytes;
    if (stream.outstanding.length > 0) return;
    for (const sender of stream.senders) this.#bySender.delete(sender);
    this.#open.splice(at, 1);
    this.#free.push(id);
    this.isEmpty = this.#open.length === 0;
  }

  #join(sender: number): Stream {
    const stream = this.#open.length < MAX_STREAMS ? this.#start() : this.#shared();
    stream.senders.push(sender);
    this.#bySender.set(sender, stream);
    return stream;
  }

  #start(): Stream {
    const stream: Stream = { id: this.#free.pop() ?? this.#next++, senders: [], outstanding: [] };
    this.#open.push(stream);
    this.isEmpty = false;
    return stream;
  }

  #shared(): Stream {
    this.#turn = (this.#turn + 1) % this.#open.length;
    return this.#open[this.#turn] ?? this.#start();
  }
}
