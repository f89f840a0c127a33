import type { Pid, Ref } from '../term/index.ts';
import type { CallOptions } from './call.ts';
import type { Cell } from './cell.ts';
import type { ExitReason } from './exit-reason.ts';
import type { Match, Received, TIMEOUT } from './match.ts';
import type { Runtime } from './runtime.ts';
import type { SpawnOptions } from './spawn-options.ts';
import type { ActorSpec, HandlerInit, Startable } from './spec.ts';
import type { NodeAddress } from './system-message.ts';
import type { TimerRef } from './timer-ref.ts';

/** Where a message can go: a PID, a local name, a name on a node, or an alias. */
export type Dest<M = unknown> = Pid<M> | string | NodeAddress | Ref;

/** When an alias ends: `explicit` by unalias, `demonitor` also with its monitor (or DOWN), `reply` also with the first message. */
export type AliasMode = 'explicit' | 'demonitor' | 'reply';

export interface ReceiveOptions {
  /** ms; 0 looks at what is there. Default: wait for ever. Noise does not restart it (H12). */
  readonly timeout?: number;
  /** Rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** What an actor can do. Each actor gets its own; it is of no use to others, and throws SNOW_ERR_ACTOR_DEAD after its death. */
export declare class Self<M = unknown> {
  readonly pid: Pid<M>;
  readonly runtime: Runtime;
  /** @internal */
  readonly cell: Cell;
  /** What it is called in logs. */
  readonly label: string;
  readonly parent: Pid | undefined;
  /** Fires when the actor dies. */
  readonly signal: AbortSignal;
  /** ms of the runtime's monotonic clock. */
  now(): number;

  receive(): Promise<Received<M>>;
  receive<T>(match: Match<T>, options?: { readonly signal?: AbortSignal }): Promise<T>;
  receive<T>(match: Match<T>, options: ReceiveOptions): Promise<T | typeof TIMEOUT>;
  receive(match: undefined, options: ReceiveOptions): Promise<Received<M> | typeof TIMEOUT>;

  send<T>(to: Dest<T>, message: T): void;
  /** Like send, but waits while the target's mailbox is full (limit policy `block`). */
  sendWait<T>(to: Dest<T>, message: T): Promise<void>;

  spawn<N, A extends readonly unknown[]>(start: Startable<N, A>, ...args: A): Pid<N>;
  spawnLink<N, A extends readonly unknown[]>(start: Startable<N, A>, ...args: A): Pid<N>;
  spawnMonitor<N, A extends readonly unknown[]>(start: Startable<N, A>, ...args: A): { pid: Pid<N>; ref: Ref };
  spawnHandler<N, A extends readonly unknown[]>(init: HandlerInit<N, A>, ...args: A): Pid<N>;
  spawnWith<N, A extends readonly unknown[]>(options: SpawnOptions, start: Startable<N, A>, ...args: A): Pid<N>;
  /** On another node, by registered name. Rejects with SNOW_ERR_SPAWN (details.reason). */
  spawnOn<N, A extends readonly unknown[]>(
    node: string,
    spec: ActorSpec<N, A>,
    args: A,
    options?: { readonly link?: boolean; readonly monitor?: boolean },
  ): Promise<{ pid: Pid<N>; ref: Ref | undefined }>;

  link(pid: Pid): void;
  unlink(pid: Pid): void;
  monitor(target: Pid | string | NodeAddress, options?: { readonly alias?: AliasMode }): Ref;
  /** True: removed, and no DOWN of it will be found. False: it was gone already (`flush` then removes the DOWN). */
  demonitor(ref: Ref, options?: { readonly flush?: boolean }): boolean;
  alias(mode?: 'explicit' | 'reply'): Ref;
  unalias(ref: Ref): boolean;
  /** Returns what it was before. */
  trapExit(on: boolean): boolean;
  exit(reason?: ExitReason): never;
  sendExit(pid: Pid, reason: ExitReason): void;

  sleep(ms: number): Promise<void>;
  sendAfter<T>(ms: number, to: Dest<T>, message: T): TimerRef;
  /** Like sendAfter, but a local receiver gets a Timeout with the timer's ref and the message. */
  startTimer(ms: number, to: Dest, message: unknown): TimerRef;
  sendInterval<T>(ms: number, to: Dest<T>, message: T): TimerRef;
  /** Calls `fn` as this actor; a throw ends the actor. */
  after(ms: number, fn: () => void): TimerRef;
  /** ms that were left, or false: fired already, or cancelled. */
  cancelTimer(timer: TimerRef): number | false;
  readTimer(timer: TimerRef): number | false;

  call<R = unknown>(to: Dest, tag: string, args?: readonly unknown[], options?: CallOptions): Promise<R>;

  register(name: string, pid?: Pid): void;
  unregister(name: string): boolean;
  whereis(name: string): Pid | undefined;
  makeRef(): Ref;
  /** Tells `start` that a function actor (spec with `ack`) is ready. */
  initAck(): void;
  /** Tells `start` "ignore" and ends with `normal`. */
  initIgnore(): never;
  isAlive(pid: Pid): boolean;
}
