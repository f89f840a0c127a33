import {
  type DeathPort,
  type ExitReason,
  type Extras,
  guard,
  inStore,
  type Kernel,
  reasonPerReceiver,
} from '../kernel/index.ts';
import { withoutStore } from '../scheduler/index.ts';
import type { Pid } from '../term/index.ts';
import type { LinkSignals } from './link-signals.ts';
import type { MonitorSignals } from './monitor-signals.ts';

/** A dead actor whose signals have not been sent yet. */
interface Death {
  readonly pid: Pid;
  readonly extra: Extras;
  readonly reason: ExitReason;
}

/**
 * Announces deaths one after the other, in order: sends the signals of each dead actor. A death that follows from another waits in
 * this queue instead of on the stack.
 */
export class DeathQueue implements DeathPort {
  private readonly kernel: Kernel;
  private readonly links: LinkSignals;
  private readonly monitors: MonitorSignals;
  private items: (Death | undefined)[] = [];
  private head = 0;
  private isAnnouncing = false;

  constructor(kernel: Kernel, links: LinkSignals, monitors: MonitorSignals) {
    this.kernel = kernel;
    this.links = links;
    this.monitors = monitors;
  }

  /** Announces a death, after those that are queued. */
  push(pid: Pid, extra: Extras, reason: ExitReason): void {
    if (this.isAnnouncing) {
      this.items.push({ pid, extra, reason });
      return;
    }
    this.isAnnouncing = true;
    try {
      this.announce(pid, extra, reason);
      for (let next = this.shift(); next !== undefined; next = this.shift())
        this.announce(next.pid, next.extra, next.reason);
    } finally {
      this.isAnnouncing = false;
    }
  }

  private announce(pid: Pid, extra: Extras, reason: ExitReason): void {
    const { kernel } = this;
    const reasonFor = reasonPerReceiver(reason);
    const { deathCallbacks } = extra;
    const callbacks = typeof deathCallbacks === 'function' ? [deathCallbacks] : (deathCallbacks ?? []);
    for (const callback of callbacks) {
      guard(kernel, () => withoutStore(callback, pid, reasonFor()));
    }
    const { exitCallbacks } = extra;
    if (exitCallbacks !== null) {
      guard(kernel, () => inStore(extra, () => exitCallbacks.abort(reasonFor)));
      exitCallbacks.runCallbacks(kernel.logger, pid, reasonFor);
    }
    extra.gate?.close();
    this.monitors.dropOwn(pid, extra);
    this.links.announce(pid, extra, reasonFor);
    this.monitors.announce(pid, extra, reasonFor);
    for (const caller of extra.takeCallers()) caller.targetEnded(reasonFor());
    extra.starter?.failed(reasonFor());
  }

  /** Takes the oldest death. O(1). */
  private shift(): Death | undefined {
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
