// Behaviours: typed patterns for actors: servers, state machines and tasks.
//
// Guarantees rules G and I of docs/rules.md: a start ends when init does; a call ends with an answer or an error that names the
// cause; late answers are dropped; handlers run one at a time and to completion; an orderly end runs `terminate`. The protocol of a
// server is inferred from its handlers.
//
// Must not know: supervisors (they start behaviours through the actor layer), nodes and sockets (a call to another node is
// like any other).
export { type Behaviour, type ProtocolFor, type RefFor } from './behaviour.ts';
export { call, callWith, cast, type MultiCallResult, multiCall, replyTo } from './call.ts';
export type {
  CallAnswer,
  CallArgs,
  CallTag,
  CastArgs,
  CastTag,
  NoReply,
  Protocol,
  ProtocolOf,
  ServerAddress,
  ServerDest,
  ServerName,
  ServerRef,
  UntypedDest,
} from './protocol.ts';
export {
  type CallHandler,
  type CastHandler,
  defineServer,
  type Init,
  type InitArgs,
  type Server,
  type ServerOptions,
  type StateOf,
} from './server.ts';
export {
  type Continuing,
  continuing,
  type From,
  type Ignore,
  ignore,
  noReply,
  type ServerContext,
} from './server-context.ts';
export {
  defineStateMachine,
  type MachineStart,
  type StateContext,
  type StateHandlers,
  type StateMachine,
  type StateMachineOptions,
} from './state-machine.ts';
export {
  Task,
  TaskError,
  type TaskOptions,
  type TaskOutcome,
  type TaskState,
  task,
  taskUnder,
} from './task.ts';
