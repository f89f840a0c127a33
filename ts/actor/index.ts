// The actor as its code sees it (`self`), and the runtime, which connects the modules below.
//
// Guarantees the rules A to I of docs/rules.md on one node: signals from one actor to another keep their order (B1), a crash ends one
// actor only (A4), a dead actor has no effect (A7), its names and timers are free before its death is announced (A8).
//
// The modules below own the state: kernel (one actor), signal (links, monitors), send, call, spawn, peer (other nodes). Runtime makes one
// object of each and passes it what it needs. The modules above import all of it from here.
//
// Must not know: sockets, frames, node names beyond RemotePort, servers and supervisors.
export { CallError, type CallOptions, type CallState } from '../call/index.ts';
export {
  type AliasMode,
  Call,
  type CallRequest,
  type CrashReason,
  checkTimeout,
  consoleLogger,
  type DeadLetterListener,
  type DeadLetterReason,
  DeadLetters,
  Down,
  type ErrorReason,
  Exit,
  type ExitReason,
  IGNORE,
  inBudget,
  isCleanExit,
  type Logger,
  MAX_TRACESTATE,
  type MailboxLimit,
  type Match,
  type Matched,
  type MessageClass,
  type NamesPort,
  type NoCatchReason,
  type NodeAddress,
  NodeDown,
  NodeUp,
  type OverflowPolicy,
  type Pattern,
  type PatternValue,
  type Received,
  type ReceiveOptions,
  type RemotePort,
  type RemoteSpawn,
  ReplyStatus,
  type RingProbe,
  SpawnStatus,
  SystemMessage,
  setNextSerial,
  silentLogger,
  TIMEOUT,
  Timeout,
  TimerRef,
  type TraceHeaders,
  type Unreachable,
  type WithFields,
  type WithTag,
} from '../kernel/index.ts';
export type { Inbound } from '../peer/index.ts';
export { checkDest, checkPid, checkRef, type Dest, givenPid } from '../send/index.ts';
export type { RemoteSpawnOptions, SpawnOptions, StartOptions, StartResult } from '../spawn/index.ts';
export {
  type AnySelf,
  actingFor,
  type Caller,
  checkCallOptions,
  checkSelf,
  handOver,
  partsOf,
  promised,
  request,
  requestChecked,
  takeOver,
} from './caller.ts';
export type { LinkCounts } from './link-counts.ts';
export { endInOrder } from './orderly-stop.ts';
export { Runtime } from './runtime.ts';
export type { RuntimeOptions } from './runtime-kernel.ts';
export { Self } from './self.ts';
export {
  type ActorFn,
  type ActorOptions,
  type ActorSpec,
  defineActor,
  defineHandler,
  type FunctionSpec,
  type HandlerBody,
  type HandlerInit,
  type HandlerSpec,
  type Startable,
} from './spec.ts';
export { start, startOrThrow } from './start.ts';
export { type StopOptions, stop } from './stop.ts';
