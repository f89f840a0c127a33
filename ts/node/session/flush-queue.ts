/** An Outgoing: `flush` passes the frames in its chunk to the native core. */
interface Flushable {
  flush(): void;
}

/** Each Outgoing with frames in its chunk. They are flushed at the end of a run slice or of the tick. */
export class FlushQueue {
  readonly #waiting: Flushable[] = [];
  #isTickDue = false;

  add(outgoing: Flushable): void {
    this.#waiting.push(outgoing);
    if (this.#isTickDue) return;
    this.#isTickDue = true;
    // The tick runs after the pending microtasks: actors that run in them share one flush.
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
