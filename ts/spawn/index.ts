// Spawning and starting actors, here and on other nodes, and for other nodes.
//
// Guarantees: a child is linked and monitored from its first moment (C15, D15), here and on another node (N4); no message
// of a child comes before its PID (N5); a start that fails leaves nothing behind (I3).
// Spawner owns the exposed programs, OutboundSpawns the spawns that wait for a reply (for OutboundStarts, too), InboundSpawns the started actors that
// their starter has not confirmed yet.
//
// Must not know: servers and supervisors, what `self` is, what a frame is.
export { InboundSpawns } from './inbound-spawns.ts';
export { OutboundSpawns, type PendingSpawn } from './outbound-spawns.ts';
export { OutboundStarts } from './outbound-starts.ts';
export {
  checkSpawnOptions,
  checkStartOptions,
  type RemoteSpawnOptions,
  type SpawnOptions,
  type StartOptions,
  type StartResult,
} from './spawn-options.ts';
export { Spawner } from './spawner.ts';
