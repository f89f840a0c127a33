import { type NodeName, parseNodeName } from '../discovery/index.ts';

export { DEFAULT_PORT, type NodeName, parseNodeName } from '../discovery/index.ts';

/** `node.name` of a node without a name; never an address. */
export const NO_NODE = 'nonode@nohost';

/** The parts of a name that a user or a peer gave; undefined: it is no node name. */
export function nodeNameOf(text: string): NodeName | undefined {
  try {
    return parseNodeName(text);
  } catch {
    return undefined;
  }
}

/** The same name with the port that was bound. */
export function withPort(name: NodeName, port: number): NodeName {
  const shown = name.host.includes(':') ? `[${name.host}]` : name.host;
  return { full: `${name.local}@${shown}:${port}`, local: name.local, host: name.host, port };
}
