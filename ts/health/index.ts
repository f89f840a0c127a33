// Health: answers the probes of an orchestrator - is the process alive, may it get traffic.
//
// For: Kubernetes and its like, by `/livez` and `/readyz`, as a handler for `node:http` and as a small server.
//
// Guarantees: a probe costs O(peers) and names no node unless asked to; connections that send nothing are bounded.
// Must not know: which orchestrator asks.
export {
  type Health,
  type HealthHandler,
  type HealthOptions,
  healthHandler,
  type PeerHealth,
} from './health.ts';
export { type HealthServer, type HealthServerOptions, startHealthServer } from './server.ts';
