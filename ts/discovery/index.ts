// Where nodes learn of each other: a fixed list, DNS, a file, or a port mapper on each machine (epmd's place).
//
// A discovery tells its listener the whole set of names, again after each change, and its failures; what was found before a
// failure still holds. None is needed when names and ports are known (U4).
//
// Guarantees: look-ups never overlap, wait longer after failures, keep no process alive, and find a bounded number of
// names; the port mapper outlives whatever is sent to it. Must not know: nodes, sessions, actors.
export { type DiscoveredNode, type Discovery, type DiscoveryListener, MAX_FOUND } from './discovery.ts';
export { type DnsOptions, type DnsResolver, dnsDiscovery } from './dns.ts';
export { type FileOptions, fileDiscovery } from './file.ts';
export { DEFAULT_PORT, fullName, type NodeName, parseNodeName } from './node-name.ts';
export type { PollingOptions } from './polling.ts';
export { lookupPort, type PortmapAddress } from './portmap-client.ts';
export { type PortmapDiscoveryOptions, portmapDiscovery } from './portmap-discovery.ts';
export { PORTMAP_PORT } from './portmap-protocol.ts';
export {
  type PortmapRegistration,
  type RegisterOptions,
  registerWithPortmap,
} from './portmap-registration.ts';
export { type Portmap, type PortmapOptions, startPortmap } from './portmap-server.ts';
export { staticList } from './static-list.ts';
