import type { Runtime } from '../actor/runtime.ts';
import type { Dest } from '../actor/self.ts';
import { type Call, CallError, type CallState } from '../kernel/call.ts';
import { type Cell, nothing } from '../kernel/cell.ts';
import { Pid, type Ref } from '../term/index.ts';
import { Timer } from '../timers/index.ts';

/** Somebody who has to hear when the actor he called ends. */
export interface AwaitingCaller {
  targetEnded(reason: unknown): void;
}

/** A call of this runtime that waits. Its own timer; an entry in the list of its caller's calls. */
export class PendingCall extends Timer implements AwaitingCaller {
  readonly runtime: Runtime;
  readonly caller: Cell | null;
  readonly to: Dest<never>;
  readonly tag: string;
  readonly started: number;
  /** The node it depends on; undefined: it is a local call. */
  node: number | string | undefined = undefined;
  target: Cell | undefined = undefined;
  resolve!: (value: unknown) => void;
  reject!: (error: unknown) => void;
  promise!: Promise<unknown>;
  disarm: (() => void) | undefined = undefined;
  /** What the target holds, when it lives here. */
  request: Call | undefined = undefined;
  private ref: Ref | undefined = undefined;
  private isOver = false;
  private before: PendingCall | null = null;
  private after: PendingCall | null = null;

  constructor(runtime: Runtime, caller: Cell | null, to: Dest<never>, tag: string) {
    super();
    this.runtime = runtime;
    this.caller = caller;
    this.to = to;
    this.tag = tag;
    this.started = runtime.now();
  }

  /** Its reply address. Most local calls are answered by their `Call` and never need one. */
  get address(): Ref {
    if (this.ref === undefined) {
      const { runtime, caller } = this;
      this.ref = runtime.newRef(caller === null ? 0 : caller.pid.local);
      if (!this.isOver) runtime.calls.set(this.ref.id, this);
    }
    return this.ref;
  }

  fire(): void {
    this.fail('timeout', undefined);
  }

  targetEnded(reason: unknown): void {
    this.target = undefined;
    this.fail('exit', reason);
  }

  /** From now on it waits. */
  begin(timeout: number): void {
    const { runtime, caller } = this;
    if (timeout !== Number.POSITIVE_INFINITY) runtime.timers.startAt(this, this.started + timeout);
    if (caller === null) return void this.address; // the runtime's end has to find it
    const more = caller.more();
    this.after = more.calls;
    if (more.calls !== null) more.calls.before = this;
    more.calls = this;
  }

  /** Nobody waits any more; its promise stays pending for ever. */
  withdraw(): void {
    this.end();
  }

  /** False: it was over. */
  succeed(value: unknown): boolean {
    if (this.isOver) return false;
    if (this.end()) this.resolve(value);
    return true;
  }

  /** False: it was over. */
  fail(state: CallState, reason: unknown): boolean {
    if (this.isOver) return false;
    if (!this.end()) return true;
    // An actor may do something else before it looks at the outcome: until then nobody else has to care (rules A4, V2).
    if (this.caller !== null) this.promise.catch(nothing);
    this.reject(this.error(state, reason));
    return true;
  }

  error(state: CallState, reason: unknown): CallError {
    const { to, runtime } = this;
    const isAddress = typeof to === 'object' && 'node' in to;
    return new CallError({
      state,
      target: isAddress ? to.name : String(to),
      node: isAddress ? to.node : to instanceof Pid ? runtime.nodeOf(to) : undefined,
      tag: this.tag,
      elapsed: runtime.now() - this.started,
      reason,
    });
  }

  /** Nothing of it stays. False: it was over; or the caller is dead, and its promise stays pending for ever. */
  private end(): boolean {
    const { runtime } = this;
    if (this.isOver) return false;
    this.isOver = true;
    if (this.ref !== undefined) runtime.calls.delete(this.ref.id);
    runtime.timers.cancel(this);
    this.target?.extra?.callers?.delete(this);
    this.leaveList();
    if (this.node !== undefined) runtime.remoteCalls.remove(this.node, this);
    this.disarm?.();
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
