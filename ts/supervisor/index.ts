// Supervisors: actors that start, monitor, restart and stop other actors.
//
// Guarantees rules J of docs/rules.md: children start in order and stop in reverse order; a child that ended is
// restarted according to its spec and the strategy; too many restarts end the supervisor, so that the supervisor above it can
// react. A supervisor handles requests while a child keeps failing to restart. A dynamic supervisor needs O(1) for each
// child and stops its children in parallel.
//
// Must not know: nodes and sockets (a child on another node is a start with a node's name, through the actor layer's port),
// servers and tasks (the supervisor only starts them).
export {
  type AutoShutdown,
  type Backoff,
  type ChildOptions,
  type ChildSpec,
  childSpec,
  type OnNodeLost,
  type Placement,
  type Restart,
  type Shutdown,
} from './child-spec.ts';
export {
  countChildren,
  deleteChild,
  restartChild,
  type SupervisorDest,
  startChild,
  terminateChild,
  whichChildren,
} from './operations.ts';
export type { ChildCounts, ChildInfo, ChildLine, ChildResult, StopResult } from './outcome.ts';
export {
  definePartitionSupervisor,
  type PartitionSupervisorOptions,
  type PartitionSupervisorSpec,
} from './partition-supervisor.ts';
export type { Strategy } from './static-children.ts';
export {
  type DynamicSupervisorOptions,
  defineDynamicSupervisor,
  defineSupervisor,
  type RestartLimit,
  type SupervisorOptions,
  type SupervisorSpec,
} from './supervisor.ts';
export { type Listed, supervisorsOf } from './supervisor-list.ts';
