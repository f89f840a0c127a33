// The loss of other nodes: what was tied to them fires, once.
import type { InboundCalls, OutboundCalls, PendingCall } from '../call/index.ts';
import type { Link, Monitor } from '../link/index.ts';
import type { LinkSignals, MonitorSignals } from '../signal/index.ts';
import type { InboundSpawns, OutboundSpawns, PendingSpawn } from '../spawn/index.ts';

/** Links, monitors, calls and spawns that fire before actors and the event loop run: about half a millisecond (P6). */
const TIES_PER_STEP = 1024;

/** What fires when a node is lost, oldest first. */
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
  /** @internal It fires now: code that it runs cannot end it. */
  isStepping = false;

  /** @internal */
  constructor(steps: Iterator<undefined>) {
    this.steps = steps;
  }

  /** Calls back when everything has fired: at once when it has. Takes one callback. */
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
  private readonly links: LinkSignals;
  private readonly monitors: MonitorSignals;
  private readonly calls: OutboundCalls;
  private readonly inboundCalls: InboundCalls;
  private readonly spawns: OutboundSpawns;
  private readonly inboundSpawns: InboundSpawns;
  private readonly pending: NodeLoss[] = [];

  constructor(
    links: LinkSignals,
    monitors: MonitorSignals,
    calls: OutboundCalls,
    inboundCalls: InboundCalls,
    spawns: OutboundSpawns,
    inboundSpawns: InboundSpawns,
  ) {
    this.links = links;
    this.monitors = monitors;
    this.calls = calls;
    this.inboundCalls = inboundCalls;
    this.spawns = spawns;
    this.inboundSpawns = inboundSpawns;
  }

  /** Whether something has not fired yet. */
  get isUnderWay(): boolean {
    return this.pending.length > 0;
  }

  /**
   * Begins with what is tied to the node now; `nc` -1: it was never known. The first thousand fire at once, unless other nodes
   * are before it.
   */
  begin(nc: number, name: string): NodeLoss {
    const loss = new NodeLoss(this.fire(nc, this.takeTies(nc < 0 ? [name] : [nc, name])));
    const isFirst = this.pending.length === 0;
    if (isFirst && loss.step()) return loss;
    this.pending.push(loss);
    if (isFirst) setImmediate(this.goOn);
    return loss;
  }

  /** Fires all that is left now, as before a new session; called by something that fires, it does nothing. O(ties left). */
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

  /** Takes the ties out of their tables: what is added later belongs to another session. */
  private takeTies(keys: readonly (number | string)[]): Ties[] {
    return keys.map((key) => ({
      links: this.links.takeNode(key),
      monitors: this.monitors.takeNode(key),
      calls: this.calls.takeNode(key),
      spawns: this.spawns.takeNode(key),
    }));
  }

  private *fire(nc: number, ties: readonly Ties[]): Generator<undefined, undefined> {
    const untidy = new Set<{ sweep(): void } | undefined>();
    let fired = 0;
    for (const { links, monitors, calls, spawns } of ties) {
      for (const made of links) {
        untidy.add(this.links.lose(made));
        if (++fired % TIES_PER_STEP === 0) yield;
      }
      for (const made of monitors) {
        untidy.add(this.monitors.lose(made));
        if (++fired % TIES_PER_STEP === 0) yield;
      }
      for (const pending of calls) {
        pending.fail('nodedown', 'noconnection');
        if (++fired % TIES_PER_STEP === 0) yield;
      }
      for (const pending of spawns) pending.settle('noconnection', undefined, undefined);
    }
    for (const table of untidy) table?.sweep();
    if (nc >= 0) this.forget(nc);
  }

  /** Drops what the lost node waited for here. */
  private forget(nc: number): void {
    this.inboundSpawns.nodeLost(nc);
    this.monitors.dropWatchers(nc);
    this.inboundCalls.nodeLost(nc);
  }
}
