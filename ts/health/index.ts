// Health: answers the probes of an orchestrator - whether the process is alive, and whether it may get traffic.
//
// For: Kubernetes and similar, by `/livez` and `/readyz`, as a handler for `node:http` and as a small server.
//
// Guarantees: a probe costs O(peers) and names no node without the option `verbose`. Connections that send nothing are limited.
// Must not know: which orchestrator asks.
export {
  type Health,
  type HealthHandler,
  type HealthOptions,
  healthHandler,
  type PeerHealth,
} from './health.ts';
export { type HealthServer, type HealthServerOptions, startHealthServer } from './server.ts';
