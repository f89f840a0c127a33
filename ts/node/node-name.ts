import { type NodeName, parseNodeName } from '../discovery/index.ts';

export { DEFAULT_PORT, fullName, type NodeName, parseNodeName } from '../discovery/index.ts';

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
