import {
  copyReason,
  type ExitReason,
  forActor,
  isCleanExit,
  LEAVING,
  Leave,
  leaveIfExited,
  type Match,
  type Matched,
  type NotOnlyTimeout,
  never,
  type Pattern,
  type Received,
  type ReceiveOptions,
  receive,
  report,
  TERMINATING,
  type TIMEOUT,
  takeStarter,
  terminate,
  type WithFields,
  type WithTag,
} from '../kernel/index.ts';
import { checkPid, type Dest } from '../send/index.ts';
import { sendExit } from '../signal/index.ts';
import type { Pid } from '../term/index.ts';
import { Spawning } from './spawning.ts';

/**
 * What an actor can do: the first argument of its code.
 *
 * After the actor has ended, `self` has no effect, so that a timer or listener of Node.js that outlives its actor does no harm: a
 * promise of `receive`, `sleep` or `call` stays pending, a sent message is a dead letter (`dead_sender`), a spawned actor is a dead PID,
 * a timer never fires. Only `exit` still throws. A callback of Node.js ends its actor with `self.runtime.sendExit(self.pid, reason)`,
 * which does not throw.
 */
export class Self<M = unknown> extends Spawning {
  /** Its PID: the address that others send to, link and monitor. */
  declare readonly pid: Pid<M>;

  /** Its name in logs. */
  declare readonly label: string;

  /** The PID of the actor that spawned it; `<0.0>`: code outside of actors. */
  declare readonly parent: Pid;

  /** ms of the runtime's monotonic clock. */
  now(): number {
    return this.runtime.now();
  }

  /**
   * Takes the oldest message, or the oldest that matches, and waits until there is one. All other messages stay, in order. As Erlang's
   * `receive`. O(messages that were not tested for this match yet).
   *
   * The first argument says what to take, see {@link Match}; without it, any message.
   *
   * @returns The message; TIMEOUT, if `timeout` ms have passed; a rejection, if `signal` fires.
   * @throws SNOW_ERR_RECEIVE_PENDING while another receive of the actor waits; SNOW_ERR_RECEIVE_HANDLER in a handler actor;
   * SNOW_ERR_BAD_MATCH, SNOW_ERR_BAD_TIME, SNOW_ERR_BAD_OPTION.
   * @example
   * const down = await self.receive(Down, { timeout: 1000 });
   */
  receive(): Promise<Received<M>>;
  receive<K extends string>(match: K, options?: { readonly signal?: AbortSignal }): Promise<WithTag<M, K>>;
  receive<K extends string>(match: K, options: ReceiveOptions): Promise<WithTag<M, K> | typeof TIMEOUT>;
  receive<const L extends readonly Match[]>(
    match: L,
    options?: { readonly signal?: AbortSignal },
  ): Promise<Matched<L[number], M>>;
  receive<const L extends readonly Match[]>(
    match: L,
    options: ReceiveOptions,
  ): Promise<Matched<L[number], M> | typeof TIMEOUT>;
  receive<const P extends Pattern>(
    match: P & NotOnlyTimeout<P>,
    options?: { readonly signal?: AbortSignal },
  ): Promise<WithFields<M, P>>;
  receive<const P extends Pattern>(
    match: P & NotOnlyTimeout<P>,
    options: ReceiveOptions,
  ): Promise<WithFields<M, P> | typeof TIMEOUT>;
  receive<T, G extends Match<T> = Match<T>>(
    match: Match<T> & G & NotOnlyTimeout<G>,
    options?: { readonly signal?: AbortSignal },
  ): Promise<T>;
  receive<T, G extends Match<T> = Match<T>>(
    match: Match<T> & G & NotOnlyTimeout<G>,
    options: ReceiveOptions,
  ): Promise<T | typeof TIMEOUT>;
  receive(match: undefined, options: ReceiveOptions): Promise<Received<M> | typeof TIMEOUT>;
  receive(match?: Match, options?: ReceiveOptions): Promise<never> {
    if (this.isOver) return never();
    return receive(this.cell, match, options) as Promise<never>;
  }

  /**
   * Sends a copy of a message, without waiting. A message to an actor that has ended is lost and counted in `deadLetters`. As Erlang's
   * `!`. O(size of the message).
   *
   * @throws SNOW_ERR_NAME_UNKNOWN for a local name that no actor has; SNOW_ERR_UNSENDABLE, SNOW_ERR_TOO_DEEP, SNOW_ERR_TOO_LARGE for the
   * message; SNOW_ERR_BAD_DEST, SNOW_ERR_NODE_NAME, SNOW_ERR_FOREIGN_PID for the target.
   */
  send<T>(to: Dest<T>, message: T): void {
    if (this.isOver) this.runtime.deadLetters.count('dead_sender', to);
    else this.runtime.sender.send(this.cell, to as Dest<never>, message);
  }

  /**
   * {@link send} that waits while the target's mailbox is full (limit policy `block`), or the send queue to its node is.
   *
   * It costs a round trip to another node for each message to a name, an alias, or an actor with the policy `block`; for any other PID
   * only for the first message. Bytes beyond 1 MiB for another node are copied in slices, so that other work runs in between: do not
   * change them before the promise resolves. If this actor ends meanwhile, the promise stays pending, and a message that was not sent
   * yet is dropped.
   *
   * @returns Resolves when the message is in the mailbox, or the target has ended.
   * @throws As a rejection: what `send` throws, and SNOW_ERR_CALL_OVERLOAD when too many senders of other nodes wait for the target, or
   * the send queue to its node is full; then the message is not delivered.
   */
  sendWait<T>(to: Dest<T>, message: T): Promise<void> {
    if (this.isOver) return never();
    return forActor(this.runtime.awaitedSends.send(this.cell, to as Dest<never>, message));
  }

  /**
   * Ends this actor with `reason`, by default `normal`, and throws to leave its code. The actor ends also if the throw is caught. While
   * its `onTerminate` runs it has its reason already, and another one counts only if the throw leaves `onTerminate`. As Erlang's `exit/1`.
   *
   * @throws SNOW_ERR_ACTOR_DEAD, always: let it pass. SNOW_ERR_UNSENDABLE for a reason that cannot be sent; then the actor has not ended.
   */
  exit(reason: ExitReason = 'normal'): never {
    const { cell } = this;
    if (this.isOver) throw new Leave(cell.pid);
    const given = copyReason(reason);
    if (!isCleanExit(given)) report(cell, given, undefined);
    if (cell.body === null) terminate(cell, given);
    // While onTerminate runs, the actor has its reason (A5). Only a throw that leaves onTerminate replaces it.
    else if ((cell.flags & TERMINATING) === 0) {
      cell.flags |= LEAVING;
      cell.more().leavingWith = given;
      // Perhaps no handler runs, because a timer or a promise called this: then no end of a handler ends the actor.
      queueMicrotask(() => leaveIfExited(cell));
    }
    throw new Leave(cell.pid, given);
  }

  /**
   * Sends an exit signal: the actor ends with `reason`, unless it traps exits or the reason is `normal`. The reason `kill` cannot be
   * trapped. As Erlang's `exit/2`.
   *
   * @throws SNOW_ERR_BAD_DEST when `pid` is not a PID; SNOW_ERR_UNSENDABLE, SNOW_ERR_FOREIGN_PID; SNOW_ERR_ACTOR_DEAD when it ends this
   * actor.
   */
  sendExit(pid: Pid, reason: ExitReason): void {
    checkPid('sendExit', pid);
    if (this.isOver) return;
    sendExit(this.runtime, this.cell, pid, copyReason(reason));
    if (this.cell.isDead && pid.equals(this.pid)) throw new Leave(this.cell.pid);
  }

  /**
   * Registers an actor of this node, by default this one, under a local name. The name is free again when the actor ends. As Erlang's
   * `register`.
   *
   * @throws SNOW_ERR_NAME_TAKEN (details.holder), SNOW_ERR_BAD_NAME, SNOW_ERR_NOT_LOCAL.
   */
  register(name: string, pid: Pid = this.cell.pid): void {
    if (!this.isOver) this.runtime.register(name, pid);
  }

  /** Frees a local name. Returns false if no actor had it. Throws SNOW_ERR_BAD_NAME when `name` is not a string. */
  unregister(name: string): boolean {
    return !this.isOver && this.runtime.unregister(name);
  }

  /** The actor that has a local name; undefined: none. O(1). Throws SNOW_ERR_BAD_NAME when `name` is not a string. */
  whereis(name: string): Pid | undefined {
    return this.runtime.whereis(name);
  }

  /** Ends the init of a function actor (a spec with `ack: true`): its `start` resolves. As OTP's `proc_lib:init_ack`. */
  initAck(): void {
    takeStarter(this.cell)?.ready();
  }

  /**
   * Ends the init with the result `ignore`, and this actor with `normal`. As OTP's `ignore`. Without a start that waits for the init it is
   * `exit()`.
   *
   * @throws SNOW_ERR_ACTOR_DEAD, always, to leave the actor's code: let it pass.
   */
  initIgnore(): never {
    const starter = takeStarter(this.cell);
    if (starter === null) return this.exit();
    terminate(this.cell, 'normal');
    starter.ignored();
    throw new Leave(this.cell.pid);
  }

  /**
   * Whether an actor of this node lives. Always false for an actor of another node: monitor it instead. As Erlang's
   * `is_process_alive`. Throws SNOW_ERR_BAD_DEST when `pid` is not a PID.
   */
  isAlive(pid: Pid): boolean {
    return this.runtime.isAlive(pid);
  }
}
