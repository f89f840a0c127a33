import type { Extras } from '../kernel/cell.ts';
import type { ExitReason } from '../kernel/exit-reason.ts';
import type { Pid } from '../term/index.ts';

/** An actor that is dead already, and who has to hear of it. */
export interface Death {
  readonly pid: Pid;
  readonly extra: Extras;
  readonly reason: ExitReason;
}

/** First in, first out, without moving what waits. */
export class DeathQueue {
  private items: (Death | undefined)[] = [];
  private head = 0;

  push(death: Death): void {
    this.items.push(death);
  }

  shift(): Death | undefined {
    const death = this.items[this.head];
    if (death === undefined) {
      this.items = [];
      this.head = 0;
      return undefined;
    }
    this.items[this.head++] = undefined;
    return death;
  }
}
