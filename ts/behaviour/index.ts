// Behaviours: the patterns that most actors follow, typed: servers, state machines and tasks.
//
// Guarantees rules G and I of docs/semantics.md: a start is over when init is, a call ends with an answer or an error
// that names what went wrong, late answers are dropped, handlers run one after the other and to completion, an orderly
// end runs `terminate`. The protocol of a server is inferred from its handlers.
//
// Must not know: supervisors (they start what is described here through the actor floor), nodes and sockets (a call to
// another node is a call).
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
