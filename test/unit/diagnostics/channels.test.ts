// Everything that a node tells its listeners has a channel.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import * as channels from '../../../ts/diagnostics/index.ts';
import type { NodeEvents } from '../../../ts/index.ts';
import { publishPeerEvent } from '../../../ts/node/peer-diagnostics.ts';
import { root } from '../../support/child.ts';

const PEER = 'b@127.0.0.1:1';
const FACTS = { connection: 1, incarnation: 1n, hidden: true };
/** Arguments of every event that there is. */
const ARGUMENTS: { readonly [E in keyof NodeEvents]: NodeEvents[E] } = {
  nodeup: [PEER, FACTS],
  nodedown: [PEER, 'closed', FACTS],
  stalled: [PEER, 500],
  recovered: [PEER],
  busy: [PEER, 1000],
  drain: [PEER],
  unreachable: [PEER, 'refused', 'nothing listens'],
  refused: [PEER, 'another cookie', 'cookie'],
};

const declared = [
  ...readFileSync(join(root, 'ts/diagnostics/events.ts'), 'utf8').matchAll(/^ {2}'(snowmesh:[\w:]+)':/gm),
].map(([, name = '']) => name);

it('every channel that is declared is made', () => {
  const { peerEvents, ...others } = channels;
  const made = [...Object.values(others), ...Object.values(peerEvents)].map(({ name }) => name);
  expect(declared.length).toBeGreaterThan(10);
  expect(made.toSorted()).toEqual(declared.toSorted());
});

it.each(Object.keys(ARGUMENTS) as (keyof NodeEvents)[])('%s is published whole on its channel', (event) => {
  const channel = channels.peerEvents[event];
  const heard: Record<string, unknown>[] = [];
  const listener = (message: unknown): void => void heard.push(message as Record<string, unknown>);
  const runtime = {};
  publishPeerEvent(runtime, event, ARGUMENTS[event]);
  channel.subscribe(listener);
  publishPeerEvent(runtime, event, ARGUMENTS[event]);
  channel.unsubscribe(listener);
  expect(heard).toHaveLength(1);
  const [{ runtime: told, ...fields }] = heard as [Record<string, unknown>];
  expect(told).toBe(runtime);
  expect(fields['peer']).toBe(PEER);
  for (const value of Object.values(fields)) expect(value).toBeDefined();
});
