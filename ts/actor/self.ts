import { badArgument, checkFlag, checkOptionNames, type OptionNames } from '../errors/index.ts';
import {
  type AliasMode,
  type Cell,
  checkAliasMode,
  Down,
  type ExitReason,
  givenReason,
  isCleanExit,
  Leave,
  leave,
  type Match,
  type Matched,
  type NodeAddress,
  type Received,
  type ReceiveOptions,
  receive,
  report,
  type TIMEOUT,
  TRAPS,
  takeStarter,
  terminate,
  type WithTag,
} from '../kernel/index.ts';
import { checkPid, checkRef, checkTarget, type Dest } from '../send/index.ts';
import { sendExit } from '../signal/index.ts';
import type { Pid, Ref } from '../term/index.ts';
import { never } from './spawning.ts';
import { Timing } from './timing.ts';

/**
 * What an actor can do: the first argument of its code.
 *
 * After the actor's death no promise from here - `receive`, `sleep`, `call` - settles, and nothing else has an effect: what it
 * sends is a dead letter (`dead_sender`), what it spawns is a dead PID, its timers never fire. So a timer or listener of
 * Node.js that outlives its actor does no harm. `exit` throws also then; a callback of Node.js ends its actor with
 * `self.runtime.sendExit(self.pid, reason)` instead.
 */
export class Self<M = unknown> extends Timing {
  /** Its PID: what others send to, link, and monitor. */
  get pid(): Pid<M> {
    return this.cell.pid as Pid<never> as Pid<M>;
  }

  /** Its name in logs. */
  get label(): string {
    return this.cell.label;
  }

  /** The actor that spawned it; `<0.0>`: code outside of actors. */
  get parent(): Pid {
    return this.cell.parent;
  }

  /** ms of the runtime's monotonic clock. */
  now(): number {
    return this.runtime.now();
  }

  /**
   * Waits for a message: the oldest, or the oldest that matches; all others stay, in order.
   *
   * What matches is said in {@link Match}; without a match any message does. With a `timeout` it may resolve to TIMEOUT.
   *
   * @throws SNOW_ERR_BAD_TIME, SNOW_ERR_BAD_MATCH, SNOW_ERR_RECEIVE_PENDING (another receive waits), SNOW_ERR_RECEIVE_HANDLER.
   * @example
   * const down = await self.receive(Down, { timeout: 1000 });
   */
  receive(): Promise<Received<M>>;
  receive<K extends string>(match: K, options?: { readonly signal?: AbortSignal }): Promise<WithTag<M, K>>;
  receive<K extends string>(match: K, options: ReceiveOptions): Promise<WithTag<M, K> | typeof TIMEOUT>;
  receive<L extends readonly Match[]>(
    match: L,
    options?: { readonly signal?: AbortSignal },
  ): Promise<Matched<L[number]>>;
  receive<L extends readonly Match[]>(
    match: L,
    options: ReceiveOptions,
  ): Promise<Matched<L[number]> | typeof TIMEOUT>;
  receive<T>(match: Match<T>, options?: { readonly signal?: AbortSignal }): Promise<T>;
  receive<T>(match: Match<T>, options: ReceiveOptions): Promise<T | typeof TIMEOUT>;
  receive(match: undefined, options: ReceiveOptions): Promise<Received<M> | typeof TIMEOUT>;
  receive(match?: Match, options?: ReceiveOptions): Promise<never> {
    if (this.isOver) return never();
    return receive(this.cell, match, options) as Promise<never>;
  }

  /** Sends a message: copied, never fails for a target that is gone. Throws SNOW_ERR_UNSENDABLE, SNOW_ERR_NAME_UNKNOWN. */
  send<T>(to: Dest<T>, message: T): void {
    if (this.isOver) this.runtime.deadLetters.count('dead_sender', to);
    else this.runtime.sender.send(this.cell, to as Dest<never>, message);
  }

  /**
   * Like send, but waits while the target's mailbox is full (limit policy `block`) or the way to its node is busy. When it
   * resolves, the message is in the mailbox, or the target is gone. For an actor of another node its node tells so: each message to
   * a name, an alias, or an actor with that policy costs a round trip; any other PID only the first. Bytes beyond
   * 1 MiB for another node are copied slice by slice, so that other work runs in between: do not change them before it resolves.
   *
   * When this actor dies meanwhile, the promise stays pending, and nothing is sent that has not left yet.
   *
   * @throws As `send`, by rejecting; SNOW_ERR_CALL_OVERLOAD when too many senders of other nodes wait for the target, or too much
   * waits to be sent to its node: then the message is not delivered.
   */
  async sendWait<T>(to: Dest<T>, message: T): Promise<void> {
    await (this.isOver ? never() : this.runtime.awaitedSends.send(this.cell, to as Dest<never>, message));
  }

  /** Links two actors: when one ends with another reason than `normal`, so does the other, unless it traps exits. Throws SNOW_ERR_BAD_DEST. */
  link(pid: Pid): void {
    checkPid('link', pid);
    if (!this.isOver) this.runtime.links.link(this.cell, pid);
  }

  /** Ends a link. No exit signal of it comes afterwards. Throws SNOW_ERR_BAD_DEST. */
  unlink(pid: Pid): void {
    checkPid('unlink', pid);
    if (!this.isOver) this.runtime.links.unlink(this.cell, pid);
  }

  /**
   * Monitors an actor: exactly one {@link Down} comes when it ends, or at once when there is none.
   *
   * @param target PID, local name, or name on a node.
   * @param options.alias The reference is an address of this actor as well: `explicit` until the alias is taken back, `demonitor` as long
   *   as the monitor, `reply` as `demonitor` and for one message at most, which ends the monitor, too: no Down comes after it.
   * @throws SNOW_ERR_BAD_DEST, SNOW_ERR_BAD_OPTION, SNOW_ERR_FOREIGN_PID.
   */
  monitor(target: Pid | string | NodeAddress, options?: { readonly alias?: AliasMode }): Ref {
    const { cell } = this;
    checkTarget('monitor', target);
    if (options !== undefined) {
      checkOptionNames('monitor', options, MONITOR_OPTIONS);
      if (options.alias !== undefined) checkAliasMode(options.alias);
    }
    const ref = this.runtime.newRef(cell.pid.local);
    if (this.isOver) return ref;
    if (options?.alias !== undefined) this.runtime.aliases.add(cell, ref, options.alias);
    cell.mailbox?.mark(ref);
    this.runtime.monitors.monitor(cell, target, ref);
    return ref;
  }

  /**
   * Ends a monitor.
   *
   * @returns true: removed, and no DOWN of it will be found; false: it was gone already (`flush` then removes the DOWN).
   * @throws SNOW_ERR_BAD_ARGUMENT for what is no reference, SNOW_ERR_BAD_OPTION.
   */
  demonitor(ref: Ref, options?: { readonly flush?: boolean }): boolean {
    const { cell } = this;
    checkRef('demonitor', ref);
    if (options !== undefined) {
      checkOptionNames('demonitor', options, DEMONITOR_OPTIONS);
      checkFlag('demonitor', 'flush', options.flush);
    }
    if (this.isOver) return false;
    const wasThere = this.runtime.monitors.demonitor(cell, ref);
    if (!wasThere && options?.flush === true) {
      cell.mailbox?.take((message) => message instanceof Down && message.ref.equals(ref), [ref]);
    }
    return wasThere;
  }

  /** A further address of this actor, which others can use until it is taken back, or for one answer. Throws SNOW_ERR_BAD_OPTION. */
  alias(mode: 'explicit' | 'reply' = 'explicit'): Ref {
    checkAliasMode(mode);
    const ref = this.makeRef();
    if (!this.isOver) this.runtime.aliases.add(this.cell, ref, mode);
    return ref;
  }

  /** Ends an alias: what is sent to it from now on is dropped. False: it was none. Throws SNOW_ERR_BAD_ARGUMENT. */
  unalias(ref: Ref): boolean {
    checkRef('unalias', ref);
    const entry = ref.nc === 0 ? this.runtime.aliases.get(ref) : undefined;
    if (entry?.cell !== this.cell) return false;
    this.runtime.aliases.end(entry);
    return true;
  }

  /** Whether exit signals arrive as {@link Exit} messages. Returns what it was before. Throws SNOW_ERR_BAD_ARGUMENT. */
  trapExit(on: boolean): boolean {
    if (typeof on !== 'boolean') throw badArgument('trapExit', 'true or false', on);
    const { cell } = this;
    const before = cell.isTrapping;
    cell.flags = on ? cell.flags | TRAPS : cell.flags & ~TRAPS;
    return before;
  }

  /** Ends this actor with `reason`; final even when the throw is caught. Default `normal`. */
  exit(reason: ExitReason = 'normal'): never {
    const { cell } = this;
    if (this.isOver) throw new Leave();
    const given = givenReason(reason);
    if (!isCleanExit(given) && cell.leaving === null) report(cell, given, undefined);
    const isInCode = cell.body !== null;
    if (!isInCode) terminate(cell, given);
    else if (cell.leaving === null) {
      cell.leaving = { reason: given };
      // Called from outside of the handler, by a timer or a promise: no handler's end will see it.
      queueMicrotask(() => (cell.leaving === null || cell.isDead ? undefined : this.leaveLater(cell)));
    }
    throw new Leave();
  }

  /** Sends an exit signal, as a link would. `kill` cannot be trapped. Throws SNOW_ERR_BAD_DEST, SNOW_ERR_UNSENDABLE. */
  sendExit(pid: Pid, reason: ExitReason): void {
    checkPid('sendExit', pid);
    if (this.isOver) return;
    sendExit(this.runtime, this.cell, pid, givenReason(reason));
    if (this.cell.isDead && pid.equals(this.pid)) throw new Leave();
  }

  /** Gives a living actor of this node (default: this one) a local name. Throws SNOW_ERR_NAME_TAKEN, SNOW_ERR_BAD_NAME, SNOW_ERR_NOT_LOCAL. */
  register(name: string, pid: Pid = this.cell.pid): void {
    if (!this.isOver) this.runtime.register(name, pid);
  }

  /** Frees a local name. False: no actor had it. */
  unregister(name: string): boolean {
    return !this.isOver && this.runtime.unregister(name);
  }

  /** The actor with a local name. */
  whereis(name: string): Pid | undefined {
    return this.runtime.whereis(name);
  }

  /** A fresh reference: nothing in the mailbox can carry it yet, and receiving by it knows that. */
  makeRef(): Ref {
    const ref = this.runtime.newRef(this.cell.pid.local);
    this.cell.mailbox?.mark(ref);
    return ref;
  }

  /** Tells `start` that a function actor (spec with `ack`) is ready. */
  initAck(): void {
    takeStarter(this.cell)?.ready();
  }

  /** Tells `start` "ignore" and ends with `normal`. */
  initIgnore(): never {
    const starter = takeStarter(this.cell);
    terminate(this.cell, 'normal');
    starter?.ignored();
    throw new Leave();
  }

  /** Whether that actor of this node lives. Always false for actors of other nodes: monitor those. */
  isAlive(pid: Pid): boolean {
    return this.runtime.isAlive(pid);
  }

  private leaveLater(cell: Cell): void {
    const { leaving } = cell;
    if (leaving !== null) leave(cell, leaving.reason);
  }
}

const MONITOR_OPTIONS: OptionNames<{ alias?: AliasMode }> = { alias: true };
const DEMONITOR_OPTIONS: OptionNames<{ flush?: boolean }> = { flush: true };
