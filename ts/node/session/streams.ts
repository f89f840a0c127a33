// Which senders have a long message under way to one peer.
//
// A frame too long for the chunk travels in fragments on a stream, and small frames overtake it. Later frames of the same
// sender must stay behind it (B1), so they go on the same stream until the native core says that the
// stream is empty. Senders are local actor ids; 0 stands for code outside of actors.

/** Open streams of one session; a peer accepts 1 024. Above this, senders share streams, which keeps order too. */
export const MAX_STREAMS = 512;

interface Stream {
  readonly id: number;
  readonly senders: number[];
  /** Lengths of the frames handed over and not yet reported as gone, oldest first. */
  readonly outstanding: number[];
}

/** The open streams of one session. */
export class Streams {
  /** True while no stream is open; the only check on the hot path. */
  isEmpty = true;
  /** In frames handed over and not yet reported as gone. */
  bytes = 0;
  readonly #bySender = new Map<number, Stream>();
  readonly #open: Stream[] = [];
  readonly #free: number[] = [];
  #next = 1;
  #turn = 0;

  /** Whether `sender` has to stay behind a long message of its own. */
  has(sender: number): boolean {
    return this.#bySender.has(sender);
  }

  /** Counts one more frame of `sender`, of so many bytes, on the stream it has or gets. Returns the stream's id. */
  enter(sender: number, bytes: number): number {
    const stream = this.#bySender.get(sender) ?? this.#join(sender);
    stream.outstanding.push(bytes);
    this.bytes += bytes;
    return stream.id;
  }

  /** `frames` of a stream have left; an empty stream is closed and its senders are free again. */
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
