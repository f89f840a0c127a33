import { callTimeout } from '../diagnostics/index.ts';
import {
  type AwaitingCaller,
  type Cell,
  deferred,
  type ExitReason,
  forActor,
  type Kernel,
  latest,
  type OwnCall,
  type RemoteWait,
  ReplyStatus,
  type RequestTrace,
  settleInBudget,
  whyFailed,
} from '../kernel/index.ts';
import { NodeIndex } from '../link/index.ts';
import type { Dest } from '../send/index.ts';
import { Pid, type Ref } from '../term/index.ts';
import { Timer } from '../timers/index.ts';
import { CallError, type CallState } from './call-error.ts';

/** The pending calls of a runtime. Each PendingCall adds and removes itself. */
export class PendingCalls {
  /** By the id of the reply address. A call between local actors has none until its address is read. */
  readonly byId: Map<number, PendingCall> = new Map();
  /** Calls to other nodes. */
  readonly byNode: NodeIndex<PendingCall> = new NodeIndex();
}

/** A call of this runtime that waits for its answer. It is its own timer, and an item of the list of its caller's calls. */
export class PendingCall extends Timer implements AwaitingCaller, OwnCall, RemoteWait {
  private readonly kernel: Kernel;
  private readonly table: PendingCalls;
  readonly caller: Cell | null;
  readonly to: Dest<never>;
  readonly tag: string;
  readonly started: number;
  probedAgeMs = 0;
  /** The node of the target; undefined: this one. */
  node: number | string | undefined = undefined;
  target: Cell | undefined = undefined;
  /** Its outcome; from `begin` on. */
  promise!: Promise<unknown>;
  private resolve!: (value: unknown) => void;
  private reject!: (error: unknown) => void;
  disarm: (() => void) | undefined = undefined;
  isAnswered = false;
  trace: RequestTrace | undefined = undefined;
  private ref: Ref | undefined = undefined;
  isOver = false;
  older: AwaitingCaller | null = null;
  newer: AwaitingCaller | null = null;
  before: OwnCall | null = null;
  after: OwnCall | null = null;

  constructor(kernel: Kernel, table: PendingCalls, caller: Cell | null, to: Dest<never>, tag: string) {
    super();
    this.kernel = kernel;
    this.table = table;
    this.caller = caller;
    this.to = to;
    this.tag = tag;
    this.started = kernel.now();
  }

  /** Its reply address, made when first read: most local calls are answered through their `Call` and need none. */
  get address(): Ref {
    if (this.ref === undefined) {
      const { caller } = this;
      this.ref = this.kernel.newRef(caller === null ? 0 : caller.pid.local);
      if (!this.isOver) this.table.byId.set(this.ref.id, this);
    }
    return this.ref;
  }

  fire(): void {
    if (callTimeout.hasSubscribers) {
      const { target, tag } = this.error('timeout', undefined);
      callTimeout.publish({ runtime: this.kernel, target, tag });
    }
    this.fail('timeout', undefined);
  }

  targetEnded(reason: ExitReason): void {
    this.target = undefined;
    this.fail('exit', reason);
  }

  closesRing(ring: readonly Pid[]): void {
    this.fail('cycle', ring);
  }

  /** Starts the wait: it has a promise, the timer runs, and the call is in its caller's list. */
  begin(timeout: number): void {
    this.promise = deferred();
    this.resolve = latest.resolve;
    this.reject = latest.reject;
    const { caller } = this;
    if (timeout !== Number.POSITIVE_INFINITY) this.kernel.timers.startAt(this, this.started + timeout);
    if (caller === null) return void this.address; // in `byId`, so that it fails when the runtime stops
    const more = caller.more();
    this.after = more.calls;
    if (more.calls !== null) more.calls.before = this;
    more.calls = this;
  }

  /** Ends the call without an outcome: its promise stays pending. */
  withdraw(): void {
    this.end('withdrawn');
  }

  private succeed(value: unknown): boolean {
    if (this.isOver) return false;
    if (this.end(undefined)) this.resolve(value);
    return true;
  }

  /** Rejects the promise. False: the call had ended. */
  fail(state: CallState, reason: unknown): boolean {
    if (this.isOver) return false;
    if (!this.end(state)) return true;
    if (this.caller !== null) void forActor(this.promise);
    const error = this.error(state, reason);
    settleInBudget(this.kernel, this.caller, () => this.reject(error));
    return true;
  }

  /** The answer came. False: the call had ended. */
  settle(status: ReplyStatus, value: unknown): boolean {
    this.isAnswered = true;
    return status === ReplyStatus.ok ? this.succeed(value) : this.fail(STATES[status] ?? 'error', value);
  }

  error(state: CallState, reason: unknown): CallError {
    const { to } = this;
    const isAddress = typeof to === 'object' && 'node' in to;
    return new CallError({
      state,
      target: isAddress ? to.name : String(to),
      node: isAddress ? to.node : nodeOfTarget(this.kernel, to),
      tag: this.tag,
      elapsed: this.kernel.now() - this.started,
      reason,
      ...whyFailed(this.kernel, this.node, state),
    });
  }

  /**
   * Removes the call from every table. False: it had ended, or the caller is dead: the promise then stays pending.
   *
   * @param failed how it failed, in one word; undefined: it succeeded.
   */
  private end(failed: string | undefined): boolean {
    if (this.isOver) return false;
    this.isOver = true;
    if (this.ref !== undefined) this.table.byId.delete(this.ref.id);
    this.kernel.timers.cancel(this);
    this.target?.removeCaller(this);
    this.leaveList();
    if (this.node !== undefined) this.table.byNode.remove(this.node, this);
    this.disarm?.();
    this.trace?.end(failed);
    return this.caller === null || !this.caller.isDead;
  }

  private leaveList(): void {
    const { before, after } = this;
    if (before !== null) before.after = after;
    else if (this.caller?.extra?.calls === this) this.caller.extra.calls = after;
    if (after !== null) after.before = before;
    this.before = this.after = null;
  }
}

/** The full name of the node of a PID or a local name. Undefined: this node, which has no name. */
export function nodeOfTarget(kernel: Kernel, to: string | Pid | Ref): string | undefined {
  const { remote } = kernel; // not destructured in the signature: `remote` is @internal and must not be in the .d.ts
  return to instanceof Pid && to.nc !== 0 ? remote.nodeOf(to) : remote.nodeName;
}

const STATES: Readonly<Record<number, CallState>> = {
  [ReplyStatus.error]: 'error',
  [ReplyStatus.noproc]: 'noproc',
  [ReplyStatus.exit]: 'exit',
  [ReplyStatus.cycle]: 'cycle',
  [ReplyStatus.overload]: 'overload',
  [ReplyStatus.unknown]: 'unknown',
};
