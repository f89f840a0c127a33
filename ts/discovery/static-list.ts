import { givenText } from '../errors/index.ts';
import { type Discovery, type DiscoveryListener, demand, isNodeName, MAX_FOUND } from './discovery.ts';
import { checkNotRunning } from './polling.ts';

/**
 * Finds the nodes of a fixed list: for clusters whose ports are known, without any service to ask.
 *
 * @param names full names, `name@host` or `name@host:port`; this node's own may be among them. At most 4096.
 * @returns a discovery for the option `discovery` of one node; it finds all of them at once and never fails.
 * @throws SNOW_ERR_BAD_OPTION for what is no node name, or too many.
 * @example
 * startNode({ name: 'a@10.0.0.1', cookie, discovery: staticList(['a@10.0.0.1', 'b@10.0.0.2']) });
 */
export function staticList(names: readonly string[]): Discovery {
  demand(Array.isArray(names), 'names', names, 'a list of name@host:port');
  for (const name of names)
    demand(isNodeName(name), 'names', `[${givenText(name)}]`, 'a list of name@host:port');
  const set = [...new Set(names)].sort();
  demand(set.length <= MAX_FOUND, 'names', `${set.length} names`, `${MAX_FOUND} at most`);
  let listener: DiscoveryListener | undefined;
  return {
    start(given) {
      checkNotRunning(listener);
      listener = given;
      given.found(set);
    },
    stop: () => void (listener = undefined),
  };
}
