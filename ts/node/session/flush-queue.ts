/** What `flush` is called on: it hands over the frames that stand in its chunk. */
interface Flushable {
  flush(): void;
}

/** The outgoing halves that have unsent frames in their chunks. They are flushed at the end of a run slice or of the tick. */
export class FlushQueue {
  readonly #waiting: Flushable[] = [];
  #isTickDue = false;

  add(outgoing: Flushable): void {
    this.#waiting.push(outgoing);
    if (this.#isTickDue) return;
    this.#isTickDue = true;
    // A tick runs after the microtasks of the moment: actors that run in these share one flush.
    process.nextTick(flushTick, this);
  }

  flush(): void {
    if (this.#waiting.length === 0) return;
    for (const outgoing of this.#waiting) outgoing.flush();
    this.#waiting.length = 0;
  }

  flushOne(outgoing: Flushable): void {
    outgoing.flush();
    const at = this.#waiting.indexOf(outgoing);
    if (at >= 0) this.#waiting.splice(at, 1);
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
