// A network over a native core that a test plays, and what its listener was told.
import { Network } from '../../../../ts/node/session/network.ts';
import type { NetworkListener } from '../../../../ts/node/session/network-listener.ts';
import { Pid, TermDecoder } from '../../../../ts/term/index.ts';
import { FrameTag } from '../../../../ts/wire/index.ts';
import { ScriptedNative } from '../scripted-native.ts';

export const PEER = 'b@127.0.0.1:4001';
export const NC = 0x101;
export const LIMITS = { highWater: 1000, limit: 5000, waiting: 4000, maxMessage: 16 * 1024 * 1024 };

export function openNetwork(limits = LIMITS) {
  const native = new ScriptedNative();
  const news: unknown[][] = [];
  const listener: NetworkListener = {
    sessionUp: (session) => news.push(['up', session.identity.name]),
    sessionDown: (session, cause, detail) =>
      news.push(['down', session.identity.name, cause, ...(detail === '' ? [] : [detail])]),
    frame: (session, tag, reader) => news.push(['frame', session.id, tag, reader.end - reader.at]),
    batchEnd() {},
    peerLoop: (session, stalled, age) => news.push(['loop', session.identity.name, stalled, age]),
    busy: (session, bytes) => news.push(['busy', session.identity.name, bytes]),
    writable: (session) => news.push(['drain', session.identity.name]),
    dialFailed: (name, result, _detail, numbers) => news.push(['failed', name, result, [...numbers]]),
    lostMessages: (node, count) => news.push(['lost', node, count]),
    refused: ({ name, address, reason, why, unreported }) =>
      news.push(['refused', name, address, reason, why, unreported]),
    fault: (error) => news.push(['fault', String(error)]),
  };
  const network = new Network({ native, limits, ownPid: (local) => new Pid(0, local) });
  network.report(listener);
  network.open({ name: 'a@127.0.0.1:0', listenHost: '127.0.0.1', listenPort: 0, cookie: 'x' });
  native.slotEvent(NC, PEER);
  return { native, network, listener, news };
}

export const target = (local = 5): Pid => new Pid(NC, local);
/** The messages that were sent by PID, in order. */
export const messages = (native: ScriptedNative): unknown[] =>
  native.sent.filter(({ tag }) => tag === FrameTag.SEND).map(({ body }) => new TermDecoder().decode(body, 8));
