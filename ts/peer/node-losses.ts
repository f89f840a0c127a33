// The loss of other nodes: what was tied to them fires, once.

import type { Runtime } from '../actor/runtime.ts';
import type { PendingCall } from '../call/pending-call.ts';
import type { Chain, Link, Monitor } from '../link/index.ts';
import { loseLink, loseMonitor, type Sweepable } from '../signal/signals.ts';
import type { InboundSpawns } from '../spawn/inbound-spawns.ts';
import type { PendingSpawn } from '../spawn/spawner.ts';

/** Ties that fire before actors and the event loop get their turn: about half a millisecond (rule P6). */
const TIES_PER_STEP = 1024;

/** What has to hear of the loss of a node, oldest first. */
interface Ties {
  readonly links: Iterable<Link>;
  readonly monitors: Iterable<Monitor>;
  readonly calls: Iterable<PendingCall>;
  readonly spawns: Iterable<PendingSpawn>;
}

/** The loss of one node under way. */
export class NodeLoss {
  private readonly steps: Iterator<undefined>;
  private next: (() => void) | null = null;
  private isOver = false;
  /** @internal What fires now is part of it: it cannot be ended from there. */
  isStepping = false;

  /** @internal */
  constructor(steps: Iterator<undefined>) {
    this.steps = steps;
  }

  /** Calls back when everything has fired: at once when it has. At most one may wait. */
  whenOver(next: () => void): void {
    if (this.isOver) next();
    else this.next = next;
  }

  /** @internal True: that was all. */
  step(): boolean {
    this.isStepping = true;
    const { done } = this.steps.next();
    this.isStepping = false;
    if (done !== true) return false;
    this.isOver = true;
    const { next } = this;
    this.next = null;
    next?.();
    return true;
  }
}

/**
 * Fires links, monitors, calls and spawns of lost nodes, with `noconnection`: a thousand at a time, so that the loss of a
 * node with very many of them stops neither timers nor sockets. One node after the other.
 */
export class NodeLosses {
  private readonly runtime: Runtime;
  private readonly spawns: InboundSpawns;
  private readonly pending: NodeLoss[] = [];

  constructor(runtime: Runtime, spawns: InboundSpawns) {
    this.runtime = runtime;
    this.spawns = spawns;
  }

  /** Whether something has not fired yet. */
  get isUnderWay(): boolean {
    return this.pending.length > 0;
  }

  /** Begins with what is tied to the node now; `nc` -1: it was never known. The first thousand fire at once, unless other nodes are before it. */
  begin(nc: number, name: string): NodeLoss {
    const loss = new NodeLoss(this.fire(nc, this.takeTies(nc < 0 ? [name] : [nc, name])));
    const isFirst = this.pending.length === 0;
    if (isFirst && loss.step()) return loss;
    this.pending.push(loss);
    if (isFirst) setImmediate(this.goOn);
    return loss;
  }

  /** Lets all come to their end now; asked for by something that fires, they go on as before. O(ties left). */
  endAll(): void {
    if (this.pending[0]?.isStepping === true) return;
    for (let loss = this.pending.shift(); loss !== undefined; loss = this.pending.shift())
      while (!loss.step());
  }

  private readonly goOn = (): void => {
    const loss = this.pending[0];
    if (loss === undefined) return;
    if (loss.step() && this.pending[0] === loss) this.pending.shift();
    if (this.pending.length > 0) setImmediate(this.goOn);
  };

  /** What comes later is of another session. */
  private takeTies(keys: readonly (number | string)[]): Ties[] {
    const { remoteLinks, remoteMonitors, remoteCalls, remoteSpawns } = this.runtime;
    return keys.map((key) => ({
      links: remoteLinks.take(key),
      monitors: remoteMonitors.take(key),
      calls: remoteCalls.take(key),
      spawns: remoteSpawns.take(key),
    }));
  }

  private *fire(nc: number, ties: readonly Ties[]): Generator<undefined, undefined> {
    const untidy = new Set<Sweepable | undefined>();
    let fired = 0;
    for (const { links, monitors, calls, spawns } of ties) {
      for (const made of links) {
        untidy.add(loseLink(made));
        if (++fired % TIES_PER_STEP === 0) yield;
      }
      for (const made of monitors) {
        untidy.add(loseMonitor(this.runtime, made));
        if (++fired % TIES_PER_STEP === 0) yield;
      }
      for (const pending of calls) {
        pending.fail('nodedown', 'noconnection');
        if (++fired % TIES_PER_STEP === 0) yield;
      }
      for (const pending of spawns) pending.settle('noconnection', undefined, undefined);
    }
    for (const places of untidy) places?.sweep();
    if (nc >= 0) this.forget(nc);
  }

  /** What the lost node was waiting for here. */
  private forget(nc: number): void {
    const { runtime } = this;
    this.spawns.nodeLost(nc);
    for (const made of runtime.remoteWatchers.takeNode(nc)) {
      if (made.chain !== null) (made.chain as unknown as Chain<Monitor>).remove(made);
    }
    for (const [key, caller] of runtime.inboundCalls) {
      if (caller.address.nc !== nc) continue;
      runtime.inboundCalls.delete(key);
      caller.cell.extra?.callers?.delete(caller);
    }
  }
}
