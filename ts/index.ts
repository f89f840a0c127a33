/**
 * snowmesh: distributed actors with Erlang's failure semantics.
 *
 * This is the front door: it re-exports what users may rely on, and does nothing else. What each name promises is
 * written where it is defined; the rules behind them are in docs/semantics.md, the error codes in docs/errors.md.
 *
 * @packageDocumentation
 */
export {
  type ActorFn,
  type ActorSpec,
  type AliasMode,
  Call,
  CallError,
  type Caller,
  type CallOptions,
  type CallState,
  type CrashReason,
  type DeadLetterReason,
  type DeadLetters,
  type Dest,
  Down,
  defineActor,
  defineHandler,
  type ErrorReason,
  Exit,
  type ExitReason,
  type FunctionSpec,
  type HandlerBody,
  type HandlerInit,
  type HandlerSpec,
  IGNORE,
  isCleanExit,
  type Logger,
  type MailboxLimit,
  type Match,
  type Matched,
  type MessageClass,
  type NoCatchReason,
  type NodeAddress,
  NodeDown,
  NodeUp,
  type OverflowPolicy,
  type Received,
  type ReceiveOptions,
  type RemoteSpawnOptions,
  type Runtime,
  Self,
  type SpawnOptions,
  type Startable,
  type StartOptions,
  type StartResult,
  silentLogger,
  start,
  stop,
  TIMEOUT,
  Timeout,
  TimerRef,
} from './actor/index.ts';
export * from './behaviour/index.ts';
export {
  type Discovery,
  type DiscoveryListener,
  type DnsOptions,
  type DnsResolver,
  dnsDiscovery,
  type FileOptions,
  fileDiscovery,
  type PollingOptions,
  staticList,
} from './discovery/index.ts';
export { ERRORS, type ErrorCode, SnowmeshError } from './errors/index.ts';
export {
  type ConflictResolver,
  type Contender,
  GlobalNames,
  type GlobalNamesOptions,
  NameConflict,
  type NamesHost,
  startGlobalNames,
} from './global/index.ts';
export {
  GroupJoin,
  GroupLeave,
  type GroupMonitor,
  Groups,
  type GroupsHost,
  type GroupsMonitor,
  type GroupsOptions,
  startGroups,
} from './groups/index.ts';
export {
  type AutoConnect,
  type DownCause,
  type ListenOptions,
  type MeshMode,
  Node,
  type NodeDiscovery,
  type NodeEvents,
  type NodeFacts,
  type NodeKind,
  type NodeOptions,
  NodeRecovered,
  NodeStalled,
  type NodeStats,
  type OutboxOptions,
  type PeerStats,
  type ReadyOptions,
  startNode,
} from './node/index.ts';
export { DuplicateRegistry, type RegistryEntry, type RegistryKey } from './registry/index.ts';
export * from './supervisor/index.ts';
export { decodeTerm, encodeTerm, freezeDeep, Pid, Ref, struct, Tagged } from './term/index.ts';
export type { Alarm, Clock } from './timers/index.ts';
