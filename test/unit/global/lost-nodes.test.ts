// The loss of a node with more names than are removed at once: they are free at once, and the event loop goes on.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type GlobalNames, startGlobalNames } from '../../../ts/global/index.ts';
import { sourcesOf } from '../../../ts/introspect/index.ts';
import type { ChannelPeer } from '../../../ts/node/index.ts';
import { Pid } from '../../../ts/term/index.ts';
import { LoneNode } from './lone-node.ts';

const COUNT = 5000;
/** Entries that are removed before the event loop runs again. */
const STEP = 1024;
const PEER = 'peer@fake:1';
const NC = 256;

let node: LoneNode;
let names: GlobalNames;
beforeEach(() => {
  node = new LoneNode();
  names = startGlobalNames(node);
});
afterEach(() => node.kit.stop());

/** A peer whose actors have COUNT names. */
function fullPeer(name: string = PEER, nc: number = NC, stamp = 1): ChannelPeer {
  const peer = node.up(name, nc, ['hello', 1], ['sync', []]);
  for (let at = 0; at < COUNT; at++) commit(peer, at, stamp);
  return peer;
}
const commit = (peer: ChannelPeer, at: number, stamp: number): void =>
  node.say(peer, ['commit', at + 1, `n${at}`, new Pid(peer.nc, at + 1), stamp, null]);
const actor = (): Pid<unknown> => node.runtime.spawnHandler(() => ({ onMessage() {} }));
/** Names in the table, with those that nobody sees any more. */
const inTable = (): number => sourcesOf(node.runtime).globalNames?.size ?? 0;

it('P6, Q5 the event loop turns while very many names are removed, and nobody sees them meanwhile', async () => {
  const peer = fullPeer();
  expect(names.names()).toHaveLength(COUNT);
  node.down(peer);
  const removed = [COUNT - inTable()];
  expect(names.names()).toEqual([]);
  for (let before = inTable(); before > 0; before = inTable()) {
    await nextTurn();
    removed.push(before - inTable());
  }
  expect(Math.max(...removed)).toBeLessThanOrEqual(STEP);
  expect(removed.length).toBe(Math.ceil(COUNT / STEP));
});

it('Q5, Q15 a name of the lost node is unknown at once, and can be registered', async () => {
  node.down(fullPeer());
  const last = `n${COUNT - 1}`;
  expect(names.whereis(last)).toBe(undefined);
  expect(() => names.send(`n${COUNT - 2}`, 1)).toThrow(
    expect.objectContaining({ code: 'SNOW_ERR_NAME_UNKNOWN' }),
  );
  const own = actor();
  const registered = names.register(`n${COUNT - 3}`, own);
  expect(names.whereis(`n${COUNT - 3}`)).toBe(own);
  expect(inTable()).toBeGreaterThan(STEP);
  expect(await registered).toBe(true);
  while (inTable() > 1) await nextTurn();
  expect(names.names()).toEqual([`n${COUNT - 3}`]);
});

it('Q7 an entry of the lost node is in conflict with no other', async () => {
  const conflicts: string[] = [];
  names.close();
  names = startGlobalNames(node, { onConflict: (name) => void conflicts.push(name) });
  node.down(fullPeer());
  const own = actor();
  const last = `n${COUNT - 1}`;
  expect(await names.register(last, own)).toBe(true);
  expect(conflicts).toEqual([]);
  expect(names.whereis(last)).toBe(own);
});

it.each([
  ['Q5 the same incarnation', NC],
  ['Q14 a new incarnation', 2 * NC],
])('%s that connects meanwhile keeps its names, and those before are gone', async (_what, nc) => {
  node.down(fullPeer());
  const again = node.up(PEER, nc, ['hello', 1], ['sync', []]);
  expect(inTable()).toBe(COUNT - STEP);
  const kept = [0, COUNT - 2, COUNT - 1];
  for (const at of kept) commit(again, at, 1);
  const seen = (): unknown[] => kept.map((at) => names.whereis(`n${at}`));
  const wanted = kept.map((at) => new Pid(nc, at + 1));
  expect(seen()).toEqual(wanted);
  expect(names.names()).toHaveLength(kept.length);
  while (inTable() > kept.length) await nextTurn();
  expect(seen()).toEqual(wanted);
  node.say(again, ['drop', 0, `n${COUNT - 1}`, 1]);
  expect(names.whereis(`n${COUNT - 1}`)).toBe(undefined);
  node.down(again);
  expect(names.names()).toEqual([]);
});

it('Q5, Q7 a name that two nodes have resolves to the owner that is left', async () => {
  const other = fullPeer('other@fake:1', 3 * NC, 1);
  const better = fullPeer(PEER, NC, 2);
  const last = COUNT - 1;
  expect(names.whereis(`n${last}`)).toEqual(new Pid(NC, COUNT));
  node.down(better);
  expect(names.whereis(`n${last}`)).toEqual(new Pid(3 * NC, COUNT));
  commit(other, last - 1, 3);
  node.say(other, ['drop', 0, `n${last}`, 1]);
  expect(names.whereis(`n${last}`)).toBe(undefined);
  for (let turn = 0; turn < COUNT / STEP; turn++) await nextTurn();
  expect(inTable()).toBe(COUNT - 1);
  expect(names.whereis('n0')).toEqual(new Pid(3 * NC, 1));
  expect(names.whereis(`n${last - 1}`)).toEqual(new Pid(3 * NC, last));
});

it('P7 a peer that greets again and again has one removal under way, and keeps what it said last', async () => {
  const peer = fullPeer();
  for (const stamp of [2, 3]) {
    node.say(peer, ['hello', 1]);
    expect(names.names()).toEqual([]);
    // At the second greeting, what is left of the first removal is done at once.
    expect(inTable()).toBe(stamp === 2 ? COUNT - STEP : 0);
    for (let at = 0; at < COUNT; at++) commit(peer, at, stamp);
    expect(names.names()).toHaveLength(COUNT);
  }
  for (let turn = 0; turn < COUNT / STEP; turn++) await nextTurn();
  expect(names.names()).toHaveLength(COUNT);
});

it('names that are closed meanwhile are gone, and the stop of the node is clean', async () => {
  node.down(fullPeer());
  names.close();
  expect(inTable()).toBe(0);
  names = startGlobalNames(node);
  node.down(fullPeer());
  node.kit.stop();
  await nextTurn();
  await nextTurn();
  expect(inTable()).toBe(COUNT - STEP);
  expect(names.names()).toEqual([]);
  expect(node.kit.logs).toEqual([]);
});
