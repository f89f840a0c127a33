/** An Outgoing: `flush` passes the frames in its chunk to the native core. */
interface Flushable {
  flush(): void;
}

/** Each Outgoing with frames in its chunk. They are flushed at the end of a run slice, of a batch of messages, or of the tick. */
export class FlushQueue {
  /** The first `#count` wait; the slots after them are free. An array that shrinks would be allocated anew for each message. */
  readonly #waiting: (Flushable | undefined)[] = [];
  #count = 0;
  #isTickDue = false;
  #isHeld = false;

  add(outgoing: Flushable): void {
    this.#waiting[this.#count++] = outgoing;
    if (this.#isTickDue || this.#isHeld) return;
    this.#isTickDue = true;
    // The tick runs after the pending microtasks: actors that run in them share one flush.
    process.nextTick(flushTick, this);
  }

  /** Until {@link release} no tick is asked for. A tick costs Node.js about a microsecond, and 450 bytes of garbage. */
  hold(): void {
    this.#isHeld = true;
  }

  release(): void {
    this.#isHeld = false;
    this.flush();
  }

  flush(): void {
    const waiting = this.#waiting;
    for (let at = 0; at < this.#count; at++) {
      waiting[at]?.flush();
      waiting[at] = undefined;
    }
    this.#count = 0;
  }

  flushOne(outgoing: Flushable): void {
    outgoing.flush();
    const at = this.#waiting.indexOf(outgoing);
    if (at >= 0) this.#waiting[at] = undefined;
  }

  /** The tick that `add` asked for. */
  tick(): void {
    this.#isTickDue = false;
    this.flush();
  }
}

function flushTick(queue: FlushQueue): void {
  queue.tick();
}
