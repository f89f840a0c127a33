import type { DeadLetters, RemotePort, Unreachable } from '../kernel/index.ts';
import { copyTerm, type Pid } from '../term/index.ts';
import type { NodeLosses } from './node-losses.ts';

const NO_NAME: Unreachable = {
  why: 'no_name_of_our_own',
  detail: 'this node was started without a name and can reach no other',
};

/** The RemotePort of a runtime without a node: everything fails with `noconnection`, in a later microtask, as through a real port. */
export function nullRemote(
  { deadLetters }: { readonly deadLetters: DeadLetters },
  losses: NodeLosses,
): RemotePort {
  const nothing = (): void => {};
  const lost = (to: unknown, message: unknown): void => {
    copyTerm(message); // throws for a value that cannot be sent, as a real port does
    deadLetters.count('noconnection', to);
  };
  const lose = (target: Pid | { node: string }): void => {
    const [nc, node] = 'nc' in target ? [target.nc, ''] : [-1, target.node];
    queueMicrotask(() => void losses.begin(nc, node));
  };
  return {
    nodeName: undefined,
    setTrace: nothing,
    send: (_from, to, message) => lost(to, message),
    sendNamed: (_from, name, node, message) => lost(`${name} at ${node}`, message),
    sendAlias: (_from, alias, message) => lost(alias, message),
    link: (_from, to) => lose(to),
    unlink: nothing,
    unlinkAck: nothing,
    exit: nothing,
    exit2: nothing,
    monitor: (_from, _ref, target) => lose(target),
    demonitor: nothing,
    monitorExit: nothing,
    spawn: ({ node, args }) => {
      copyTerm(args);
      lose({ node });
    },
    spawnReply: nothing,
    spawnAck: nothing,
    call: (_from, _ref, _ms, target, [, args]) => {
      copyTerm(args);
      lose(target);
    },
    callInSlices: (_from, _ref, target, [, args]) => {
      copyTerm(args);
      lose(target);
      return undefined;
    },
    reply: nothing,
    probe: nothing,
    whenWritable: () => undefined,
    sendInSlices: (_from, to, message) => {
      lost(to, message);
      return undefined;
    },
    reachability: { whyDown: () => NO_NAME, stalledMs: () => undefined },
    nodeOf: () => undefined,
    isSelf: () => false,
    canonical: (node) => node,
    existingRoute: () => undefined,
    flush: nothing,
  };
}
