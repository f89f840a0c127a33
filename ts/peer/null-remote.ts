import type { DeadLetters, RemotePort } from '../kernel/index.ts';
import type { Pid } from '../term/index.ts';
import type { NodeLosses } from './node-losses.ts';

/** The port of a runtime without connections: everything fails with `noconnection`, later, as it does through a real one. */
export function nullRemote(
  { deadLetters }: { readonly deadLetters: DeadLetters },
  losses: NodeLosses,
): RemotePort {
  const nothing = (): void => {};
  const lost = (_from: unknown, to: unknown): void => deadLetters.count('noconnection', to);
  const lose = (target: Pid | { node: string }): void => {
    const [nc, node] = 'nc' in target ? [target.nc, ''] : [-1, target.node];
    queueMicrotask(() => void losses.begin(nc, node));
  };
  return {
    nodeName: undefined,
    send: lost,
    sendNamed: lost,
    sendAlias: lost,
    link: (_from, to) => lose(to),
    unlink: nothing,
    unlinkAck: nothing,
    exit: nothing,
    exit2: nothing,
    monitor: (_from, _ref, target) => lose(target),
    demonitor: nothing,
    monitorExit: nothing,
    spawn: ({ node }) => lose({ node }),
    spawnReply: nothing,
    spawnAck: nothing,
    call: (_from, _ref, _ms, target) => lose(target),
    callGently: (_from, _ref, target) => {
      lose(target);
      return undefined;
    },
    reply: nothing,
    probe: nothing,
    whenWritable: () => undefined,
    sendGently: (from, to) => {
      lost(from, to);
      return undefined;
    },
    nodeOf: () => undefined,
    isSelf: () => false,
    canonical: (node) => node,
    flush: nothing,
  };
}
