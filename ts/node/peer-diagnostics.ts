// Publishes the events of peers on node:diagnostics_channel.
import { peerEvents } from '../diagnostics/index.ts';
import type { NodeEvents } from './node-events.ts';
import type { NodeFacts } from './node-monitors.ts';

/** Publishes an event of a node, with its arguments by name. */
export function publishPeerEvent(runtime: object, event: keyof NodeEvents, args: readonly unknown[]): void {
  if (!peerEvents[event].hasSubscribers) return;
  const [peer, about, facts] = args;
  const told = { runtime, peer };
  const named: Readonly<Record<keyof NodeEvents, object>> = {
    nodeup: { ...told, hidden: (about as NodeFacts | undefined)?.hidden },
    nodedown: { ...told, cause: about, hidden: (facts as NodeFacts | undefined)?.hidden },
    stalled: { ...told, ageMs: about },
    recovered: told,
    busy: { ...told, bytes: about },
    drain: told,
    unreachable: { ...told, why: about, detail: facts },
    refused: { ...told, reason: about, why: facts },
  };
  (peerEvents[event] as { publish(message: object): void }).publish(named[event]);
}
