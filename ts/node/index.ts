// Nodes: starts a node, connects it to others, and sends the signals of the actor layer to them.
//
// Guarantees: one session per peer; nodeup before the first message of a peer; links, monitors and calls over a lost
// session fire once, before its nodedown; what one actor sends to one node keeps its order, whatever its size; a message
// is either sent or counted as a dead letter with a reason.
//
// session/ holds the state of one connection, mesh/ decides which nodes to connect to.
//
// Must not know: how TLS, ticks or sockets work (the native core does), nor supervisors, servers and global names.
export type { Channel, ChannelListener, ChannelPeer } from './channels.ts';
export { optionsFrom } from './from-env.ts';
export { nativeCounters } from './native-counters.ts';
export { Node } from './node.ts';
export type { NodeEvents, NodeKind, NodeStats, PeerStats } from './node-events.ts';
export type { NodeFacts } from './node-monitors.ts';
export { DEFAULT_PORT, type NodeName, parseNodeName } from './node-name.ts';
export type {
  AutoConnect,
  ListenOptions,
  MeshMode,
  NodeDiscovery,
  NodeOptions,
  OutboxOptions,
} from './options.ts';
export type { ConnectFailure, ConnectFailureReason } from './reachability.ts';
export type { ReadyOptions } from './readiness.ts';
export type { DownCause } from './session/end-causes.ts';
export { type FanOutStream, SocketFanOut } from './socket-fan-out.ts';
export { NodeRecovered, NodeStalled } from './stall-messages.ts';
export { startNode } from './start.ts';
export type { StopOnSignalsOptions } from './stop-on-signals.ts';
export type { NodeStopOptions } from './stop-time.ts';
