// Spawning and starting actors, here and on other nodes, and for other nodes.
//
// Guarantees: a child is linked and monitored before it runs (C15, D15), here and on another node (N4); the spawner gets the PID of a
// child before any message of the child (N5); a start that fails leaves no actor behind (I3).
// Spawner owns the exposed programs, OutboundSpawns the spawns and starts that wait for a reply, InboundSpawns the started actors whose
// starter has not confirmed them yet.
//
// Must not know: servers and supervisors, what `self` is, what a frame is.
export { InboundSpawns } from './inbound-spawns.ts';
export { OutboundSpawns, type PendingSpawn } from './outbound-spawns.ts';
export { OutboundStarts } from './outbound-starts.ts';
export {
  checkFarStart,
  checkSpawnOptions,
  checkStartOptions,
  type RemoteSpawnOptions,
  type SpawnOptions,
  type StartOptions,
  type StartResult,
} from './spawn-options.ts';
export { Spawner } from './spawner.ts';
