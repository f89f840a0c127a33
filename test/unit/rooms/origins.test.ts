// Which node an origin and a signing key belong to: the first one that claims them.
import { beforeEach, expect, it } from 'vitest';
import { MAX_ORIGINS } from '../../../ts/rooms/limits.ts';
import { Peers } from '../../../ts/rooms/peers.ts';
import type { RoomsPeer } from '../../../ts/rooms/rooms-peer.ts';

let peers: Peers;
beforeEach(() => void (peers = new Peers({ now: () => 0 } as never)));

const up = (node: string): RoomsPeer => peers.up({ node } as never);
/** A peer says hello. False: it takes no part. */
function hello(peer: RoomsPeer, origin: string, keyId: string): boolean {
  if (!peers.introduced(peer, origin, keyId)) return false;
  [peer.origin, peer.keyId, peer.takesPart] = [origin, keyId, true];
  return true;
}

it('T12 what a node has claimed is refused to others, also when it is lost', () => {
  const [one, two] = [up('one@h:1'), up('two@h:1')];
  expect(hello(one, 'origin', 'key')).toBe(true);
  expect([hello(two, 'origin', 'other'), hello(two, 'other', 'key')]).toEqual([false, false]);
  peers.down(one.channelPeer);
  expect(hello(two, 'origin', 'other')).toBe(false);
  expect(hello(up('one@h:1'), 'origin', 'key')).toBe(true);
});

it('T12 a peer takes over nothing of a connected node, however many origins it claims', () => {
  const [one, liar] = [up('one@h:1'), up('liar@h:1')];
  expect(hello(one, 'origin', 'key')).toBe(true);
  for (let at = 0; at < MAX_ORIGINS; at++) expect(hello(liar, `o${at}`, `k${at}`)).toBe(true);
  expect([hello(liar, 'origin', 'x'), hello(liar, 'x', 'key')]).toEqual([false, false]);
  expect(hello(liar, 'x', '')).toBe(true);
});
