import type { NodeName } from '../discovery/index.ts';

export { DEFAULT_PORT, type NodeName, parseNodeName } from '../discovery/index.ts';

/** `node.name` of a node without a name; never an address. */
export const NO_NODE = 'nonode@nohost';

/** The same name with the port that was bound. */
export function withPort(name: NodeName, port: number): NodeName {
  const shown = name.host.includes(':') ? `[${name.host}]` : name.host;
  return { full: `${name.local}@${shown}:${port}`, local: name.local, host: name.host, port };
}
