import type { Clock } from '../timers/index.ts';
import type { Pid, Ref } from '../term/index.ts';
import type { Call, CallOptions } from './call.ts';
import type { DeadLetters } from './dead-letters.ts';
import type { ExitReason } from './exit-reason.ts';
import type { Inbound } from './inbound.ts';
import type { Logger } from './logger.ts';
import type { NamesPort } from './names-port.ts';
import type { RemotePort, ReplyStatus } from './remote-port.ts';
import type { Dest } from './self.ts';
import type { SpawnOptions } from './spawn-options.ts';
import type { ActorSpec, HandlerInit, Startable } from './spec.ts';
import type { SystemMessage } from './system-message.ts';

export interface RuntimeOptions {
  readonly names: NamesPort;
  readonly logger?: Logger;
  readonly clock?: Clock;
  /** Scheduler index: the top six bits of local ids. Default 0. */
  readonly lane?: number;
  /** Pending timers keep the process alive. Default false. */
  readonly keepAlive?: boolean;
}

/** All actors of one node object in one isolate. */
export declare class Runtime {
  constructor(options: RuntimeOptions);
  readonly names: NamesPort;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly lane: number;
  /** Set by `node`. */
  remote: RemotePort;
  readonly inbound: Inbound;
  readonly deadLetters: DeadLetters;
  /** Living actors. */
  readonly size: number;
  readonly isStopped: boolean;
  now(): number;

  spawn<N, A extends readonly unknown[]>(start: Startable<N, A>, ...args: A): Pid<N>;
  spawnHandler<N, A extends readonly unknown[]>(init: HandlerInit<N, A>, ...args: A): Pid<N>;
  spawnWith<N, A extends readonly unknown[]>(options: SpawnOptions, start: Startable<N, A>, ...args: A): Pid<N>;
  send<T>(to: Dest<T>, message: T): void;
  call<R = unknown>(to: Dest, tag: string, args?: readonly unknown[], options?: CallOptions): Promise<R>;
  /** Answers a call, here or far away. False: nobody waits for it any more. */
  reply(call: Call | Ref, value: unknown): boolean;
  replyError(call: Call | Ref, status: ReplyStatus, reason: unknown): boolean;
  sendExit(pid: Pid, reason: ExitReason): void;
  isAlive(pid: Pid): boolean;
  /** The name of the node a PID lives on; undefined: our own while it has no name, or unknown. */
  nodeOf(pid: Pid): string | undefined;
  register(name: string, pid: Pid): void;
  unregister(name: string): boolean;
  whereis(name: string): Pid | undefined;
  registered(): string[];
  /** Lets other nodes spawn it by name. */
  expose(spec: ActorSpec): void;

  /** The canonical PID of a local id: that of the living actor, else one of a dead actor. */
  pidOf(local: number): Pid;
  deliverSystem(to: Pid, message: SystemMessage): void;
  /** Calls back once when a local actor dies, after its names are gone. Returns a way to take it back. */
  onDeath(pid: Pid, callback: (pid: Pid) => void): () => void;
  /** Runs what is queued now, within the budget; ends with remote.flush(). True: there is still work. */
  runSlice(): boolean;
  /** Makes sure that remote.flush() is called soon. */
  wake(): void;
  /** Ends every actor (`shutdown`, then `kill`) without notice to anybody outside. */
  stop(): void;
  /** Test hook: the serial the next actor gets. */
  setNextSerial(serial: number): void;
}
