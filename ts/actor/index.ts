// Actors: spawning, mailboxes, signals, death; links, monitors, aliases, calls, timers as an actor sees them.
//
// Guarantees rules A-I of docs/semantics.md inside one isolate: signals of a pair keep their order, a crash ends one actor
// only, a dead actor runs no more of its code, names and timers are gone before anybody hears of a death.
//
// Inside, from the ground up: the control block and its queueing (cell), a pending receive (wait), the end (death), mail for a
// known actor (delivery), links and monitors (signals), mail by address (sending), turns, calls, timers, self; the runtime
// on top. What is below reaches what is above only through methods of the runtime that a cell carries.
//
// Must not know: sockets, frames, node names beyond what RemotePort says, servers and supervisors.
export { Call, CallError, type CallOptions, type CallState } from '../kernel/call.ts';
export { type DeadLetterListener, type DeadLetterReason, DeadLetters } from '../kernel/dead-letters.ts';
export {
  type CrashReason,
  type ErrorReason,
  type ExitReason,
  isCleanExit,
  type NoCatchReason,
} from '../kernel/exit-reason.ts';
export { type CrashFacts, consoleLogger, type Logger, silentLogger } from '../kernel/logger.ts';
export {
  type Match,
  type Matched,
  type MessageClass,
  type Received,
  TIMEOUT,
  type WithTag,
} from '../kernel/match.ts';
export type { Holder, NamesPort } from '../kernel/names-port.ts';
export { checkTimeout } from '../kernel/receive.ts';
export {
  type CallRequest,
  type RemotePort,
  type RemoteSpawn,
  ReplyStatus,
  SpawnStatus,
} from '../kernel/remote-port.ts';
export { Down, Exit, type NodeAddress, NodeDown, NodeUp, SystemMessage } from '../kernel/system-message.ts';
export { Timeout, TimerRef } from '../kernel/timer-ref.ts';
export { Inbound } from '../peer/inbound.ts';
export type { MailboxLimit, OverflowPolicy, SpawnOptions } from '../spawn/spawn-options.ts';
export type { RemoteSpawnOptions } from '../spawn/spawner.ts';
export { type StopOptions, start, stop } from '../spawn/start.ts';
export type { StartOptions, StartResult } from '../spawn/start-result.ts';
export { actingFor, type Caller, partsOf } from './caller.ts';
export { handOver, takeOver } from './hand-over.ts';
export { Runtime, type RuntimeOptions } from './runtime.ts';
export { type AliasMode, type Dest, type ReceiveOptions, Self } from './self.ts';
export {
  type ActorFn,
  type ActorSpec,
  defineActor,
  defineHandler,
  type FunctionSpec,
  type HandlerBody,
  type HandlerInit,
  type HandlerSpec,
  IGNORE,
  type Startable,
} from './spec.ts';
export { startOrThrow } from './start-or-throw.ts';
