import type { Runtime } from '../actor/runtime.ts';
import type { RemotePort } from '../kernel/remote-port.ts';
import type { Pid } from '../term/index.ts';

/** The port of a runtime that is connected to nobody: everything is `noconnection`, and comes later as from a real one. */
export function nullRemote(runtime: Runtime): RemotePort {
  const nothing = (): void => {};
  const lost = (_from: unknown, to: unknown): void => runtime.deadLetters.count('noconnection', to);
  const later = (action: () => void): void => queueMicrotask(action);
  const lose = (target: Pid | { node: string }): void => {
    const [nc, node] = 'nc' in target ? [target.nc, ''] : [-1, target.node];
    later(() => runtime.inbound.nodeLost(nc, node));
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
    reply: nothing,
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
