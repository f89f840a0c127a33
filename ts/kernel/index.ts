// One actor: its control block, mailbox, turns, receive and death.
//
// Guarantees: messages from one actor to another keep their order (B1), a crash ends one actor only (A4), the code of a dead actor
// has no effect (A7), and its names, timers and aliases are free before any other actor learns of its death (A8).
//
// Bottom up: the control block and the run queue (cell), a pending receive (wait, taking), the end of an actor (death), delivery
// to a known actor (delivery), the turns of an actor (turn, receive). Kernel is the state that actors share, and the ports
// to the modules above: other nodes (RemotePort), names (NamesPort), links and monitors (DeathPort), trace contexts (TracingPort).
//
// Must not know: links to other nodes, addresses, calls, how an actor is spawned, what `self` is.
export { onAbort } from './abort.ts';
export { ActorTable, setNextSerial } from './actor-table.ts';
export { Aliases, type AliasMode, checkAliasMode } from './aliases.ts';
export { briefReason, NOT_EXPOSED } from './brief-reason.ts';
export { Call, callOf } from './call.ts';
export { after, guard } from './callback.ts';
export {
  type Birth,
  BUSY,
  Cell,
  cellOf,
  IN_STORE,
  inStore,
  LEAVING,
  LIMITED,
  ownCell,
  QUEUED,
  TERMINATING,
  TRACED,
  TRAPS,
  wake,
} from './cell.ts';
export type { AwaitingCaller, Extras, OwnCall, RemoteWait } from './cell-extras.ts';
export { compileMatch } from './compiled-match.ts';
export { copyReason, Leave, reasonPerReceiver } from './crash-reason.ts';
export { type DeadLetterListener, type DeadLetterReason, DeadLetters } from './dead-letters.ts';
export { ancestorsOf, crash, isOwnLeave, leaveIfExited, report, takeStarter, terminate } from './death.ts';
export { deliver, deliverEnvelope, deliverSent, Envelope } from './delivery.ts';
export { exitCallbacksOf, runExitCallback } from './exit-callbacks.ts';
export {
  type CrashReason,
  type ErrorReason,
  type ExitReason,
  isCleanExit,
  type NoCatchReason,
} from './exit-reason.ts';
export { inBudget, settleInBudget } from './in-budget.ts';
export { keptShapes } from './kept-shapes.ts';
export type { DeathPort, Kernel } from './kernel.ts';
export { consoleLogger, guarded, type Logger, silentLogger } from './logger.ts';
export { LongMailboxes } from './long-mailboxes.ts';
export { MailboxGate, type MailboxLimit, type OverflowPolicy } from './mailbox-gate.ts';
export {
  type Match,
  type Matched,
  type MessageClass,
  type NotOnlyTimeout,
  type Pattern,
  type PatternValue,
  type Received,
  TIMEOUT,
  type WithFields,
  type WithTag,
} from './match.ts';
export { shortTag } from './message-tag.ts';
export type { NamesPort } from './names-port.ts';
export { type Body, IGNORE, ON_DEATH, type Program, waitsForInit } from './program.ts';
export { forActor, never, promiseOf } from './promise.ts';
export { checkDelay, checkTimeout, type ReceiveOptions, receive } from './receive.ts';
export {
  type AnsweringNode,
  type CallRequest,
  isFrom,
  type RemotePort,
  type RemoteSpawn,
  type RemoteStart,
  ReplyStatus,
  type RingProbe,
  SpawnStatus,
  sendReason,
  type Unreachable,
} from './remote-port.ts';
export { Down, Exit, type NodeAddress, NodeDown, NodeUp, SystemMessage } from './system-message.ts';
export { ThrottledLog } from './throttled-log.ts';
export { Timeout, TimerRef } from './timer-ref.ts';
export { MAX_TRACESTATE, type TraceHeaders } from './trace-headers.ts';
export {
  type InTrace,
  inSend,
  type RequestTrace,
  type TracingPort,
} from './tracing-port.ts';
export { begin, requestStop, runCell } from './turn.ts';
export { deferred, latest } from './wait.ts';
export { whyFailed } from './why-failed.ts';
