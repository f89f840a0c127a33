// The loss of other nodes: the links, monitors, calls and spawns that depend on them fire once.
import type { InboundCalls, OutboundCalls, PendingCall } from '../call/index.ts';
import type { Link, Monitor } from '../link/index.ts';
import type { LinkSignals, MonitorSignals } from '../signal/index.ts';
import type { InboundSpawns, OutboundSpawns, PendingSpawn } from '../spawn/index.ts';
import { FIRED_PER_STEP } from './limits.ts';

/** What fires when a node is lost, each oldest first. */
interface Dependents {
  readonly links: Iterable<Link>;
  readonly monitors: Iterable<Monitor>;
  readonly calls: Iterable<PendingCall>;
  readonly spawns: Iterable<PendingSpawn>;
}

/** The tables with entries that depend on other nodes. `RuntimeKernel` has them. */
export interface DependentTables {
  readonly links: LinkSignals;
  readonly monitors: MonitorSignals;
  readonly calls: OutboundCalls;
  readonly inboundCalls: InboundCalls;
  readonly spawns: OutboundSpawns;
  readonly inboundSpawns: InboundSpawns;
}

/** The loss of one node, in progress. */
export class NodeLoss {
  private readonly steps: Iterator<undefined>;
  private next: (() => void) | null = null;
  private isOver = false;
  /** @internal Whether a step runs now: code that the step calls cannot run another one. */
  isStepping = false;

  /** @internal */
  constructor(steps: Iterator<undefined>) {
    this.steps = steps;
  }

  /** Calls back once everything has fired, at once if it has. Takes one callback. */
  whenOver(next: () => void): void {
    if (this.isOver) next();
    else this.next = next;
  }

  /** @internal Fires the next items. True: these were the last. */
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
 * Fires the links, monitors, calls and spawns of lost nodes, with `noconnection`: about a thousand at a time, so that the loss of a node
 * with very many of them blocks neither timers nor sockets. One node after the other.
 */
export class NodeLosses {
  private readonly tables: DependentTables;
  private readonly pending: NodeLoss[] = [];

  constructor(tables: DependentTables) {
    this.tables = tables;
  }

  /** Whether something is left that has not fired. */
  get isUnderWay(): boolean {
    return this.pending.length > 0;
  }

  /**
   * Begins to fire what depends on a node. `nc` -1: the node was never connected. The first step runs at once, unless the loss of
   * another node is in progress.
   */
  begin(nc: number, name: string): NodeLoss {
    const loss = new NodeLoss(this.fire(nc, this.takeDependents([nc, name])));
    const isFirst = this.pending.length === 0;
    if (isFirst && loss.step()) return loss;
    this.pending.push(loss);
    if (isFirst) setImmediate(this.runNextStep);
    return loss;
  }

  /** Fires everything that is left, as before a new session of a node. Does nothing if called by code that a step runs. O(left). */
  endAll(): void {
    if (this.pending[0]?.isStepping === true) return;
    for (let loss = this.pending.shift(); loss !== undefined; loss = this.pending.shift())
      while (!loss.step());
  }

  private readonly runNextStep = (): void => {
    const loss = this.pending[0];
    if (loss === undefined) return;
    if (loss.step() && this.pending[0] === loss) this.pending.shift();
    if (this.pending.length > 0) setImmediate(this.runNextStep);
  };

  /** Removes everything from the tables first: what is added later belongs to another session. */
  private takeDependents(keys: readonly (number | string)[]): Dependents[] {
    const { links, monitors, calls, spawns } = this.tables;
    return keys.map((key) => ({
      links: links.takeNode(key),
      monitors: monitors.takeNode(key),
      calls: calls.takeNode(key),
      spawns: spawns.takeNode(key),
    }));
  }

  private *fire(nc: number, dependents: readonly Dependents[]): Generator<undefined, undefined> {
    const toSweep = new Set<{ sweep(): void } | undefined>();
    let fired = 0;
    for (const { links, monitors, calls, spawns } of dependents) {
      for (const made of links) {
        toSweep.add(this.tables.links.lose(made));
        if (++fired % FIRED_PER_STEP === 0) yield;
      }
      for (const made of monitors) {
        toSweep.add(this.tables.monitors.lose(made));
        if (++fired % FIRED_PER_STEP === 0) yield;
      }
      for (const pending of calls) {
        pending.fail('nodedown', 'noconnection');
        if (++fired % FIRED_PER_STEP === 0) yield;
      }
      for (const pending of spawns) {
        pending.settle('noconnection', undefined, undefined);
        if (++fired % FIRED_PER_STEP === 0) yield;
      }
    }
    for (const table of toSweep) {
      table?.sweep();
      if (++fired % FIRED_PER_STEP === 0) yield;
    }
    if (nc < 0) return;
    for (const _ of this.forget(nc)) if (++fired % FIRED_PER_STEP === 0) yield;
  }

  /** Drops what the lost node waits for on this node, and yields for each item. */
  private *forget(nc: number): Generator<undefined, void> {
    const { inboundSpawns, monitors, inboundCalls } = this.tables;
    yield* inboundSpawns.nodeLost(nc);
    yield* monitors.dropWatchers(nc);
    yield* inboundCalls.nodeLost(nc);
  }
}
