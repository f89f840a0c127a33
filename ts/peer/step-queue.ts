import { guard, type Kernel } from '../kernel/index.ts';
import { ENTRIES_PER_STEP } from './limits.ts';

/** Work on the entries of one node. It yields how many entries it has handled since it yielded last, at least 1. */
export type Work = IterableIterator<number, unknown>;

interface Waiting {
  readonly node: string;
  readonly work: Work;
}

/**
 * Removes what lost nodes had in the tables of modules above: about a thousand entries in each turn of the event loop, so that the loss of a
 * node with very many of them blocks neither timers nor sockets. One node after the other. The tables show none of these entries from the
 * beginning, so no code has to wait for the end.
 */
export class StepQueue {
  readonly #kernel: Pick<Kernel, 'logger' | 'isStopped'>;
  readonly #waiting: Waiting[] = [];
  #isScheduled = false;

  constructor(kernel: Pick<Kernel, 'logger' | 'isStopped'>) {
    this.#kernel = kernel;
  }

  /**
   * Begins work. The first step runs at once, unless work for another node is under way. What is left of earlier work for the same node is
   * done first, at once: otherwise a peer that fills its tables again and again would use memory without bound (P7).
   */
  begin(node: string, work: Work): void {
    const earlier = this.#waiting.findIndex((each) => each.node === node);
    if (earlier >= 0) {
      // A node that connects again has nothing to remove: the removal goes on.
      if (this.#step(work, 1)) return;
      for (const each of this.#waiting.splice(earlier, 1)) this.#end(each.work);
    }
    const isFirst = this.#waiting.length === 0;
    if (isFirst && this.#step(work)) return;
    this.#waiting.push({ node, work });
    this.#schedule();
  }

  /** Does everything that is left. If a step calls this, its own work goes on in a later turn. O(entries left). */
  endAll(): void {
    for (const { work } of this.#waiting.splice(0)) this.#end(work);
  }

  /** Drops everything that is left: the tables are not used any more. */
  close(): void {
    this.#waiting.length = 0;
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(this.#next);
  }

  readonly #next = (): void => {
    this.#isScheduled = false;
    if (this.#kernel.isStopped) return this.close();
    const first = this.#waiting.shift(); // what the step calls may end all that waits
    if (first === undefined) return;
    if (!this.#step(first.work)) this.#waiting.unshift(first);
    if (this.#waiting.length > 0) this.#schedule();
  };

  #end(work: Work): void {
    while (!this.#step(work));
  }

  /** True: the work is done. An error ends it. */
  #step(work: Work, entries: number = ENTRIES_PER_STEP): boolean {
    let isDone = true;
    guard(this.#kernel, () => {
      isDone = handle(work, entries);
    });
    return isDone;
  }
}

/** Handles so many entries, or a few more. True: the work is done. */
export function handle(work: Work, entries: number): boolean {
  for (let handled = 0; handled < entries; ) {
    const { done, value } = work.next();
    if (done === true) return true;
    handled += value as number;
  }
  return false;
}
