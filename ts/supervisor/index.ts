// Supervisors: actors whose only work is to start, watch, restart and stop others.
//
// Guarantees rules J of docs/semantics.md: children start in order and stop in reverse order, each ended child is
// restarted as its spec and the strategy say, and too many restarts end the supervisor, so that the supervisor above it can
// react. While a child keeps failing to restart, the supervisor answers. A dynamic supervisor does all that in O(1)
// a child and stops its children in parallel.
//
// Must not know: nodes and sockets (a child elsewhere is a start with a node's name, through the actor floor's port),
// servers and tasks (they are things that can be started, like any other).
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
export type { ChildCounts, ChildInfo, ChildResult, StopResult } from './outcome.ts';
export {
  definePartitionSupervisor,
  type PartitionSupervisorOptions,
  type PartitionSupervisorSpec,
} from './partition-supervisor.ts';
export { type Listed, supervisorsOf } from './roster.ts';
export type { Strategy } from './static-children.ts';
export {
  type DynamicSupervisorOptions,
  defineDynamicSupervisor,
  defineSupervisor,
  type RestartLimit,
  type SupervisorOptions,
  type SupervisorSpec,
} from './supervisor.ts';
