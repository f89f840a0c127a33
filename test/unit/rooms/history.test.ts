// What a node remembers of origins that have ended.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { History } from '../../../ts/rooms/history.ts';
import { DEFAULT_RESUME, MAX_ENDED, MAX_LOSSES, MAX_ORIGINS } from '../../../ts/rooms/limits.ts';
import { Peers } from '../../../ts/rooms/peers.ts';
import { RoomTable } from '../../../ts/rooms/room-table.ts';
import type { RoomsPeer } from '../../../ts/rooms/rooms-peer.ts';
import { startTestRuntime, type TestRuntime } from '../../../ts/testing/index.ts';

let kit: TestRuntime;
let peers: Peers;
beforeEach(() => {
  kit = startTestRuntime();
  peers = new Peers(kit.runtime);
});
afterEach(() => kit.stop());

const peer = (node: string): RoomsPeer =>
  peers.up({ node, incarnation: 1n, nc: 1, hidden: false, connection: 1 });

function startHistory(): History {
  const { runtime } = kit;
  const table = new RoomTable(runtime, 'own', DEFAULT_RESUME, { unwanted() {}, backupDropped() {} });
  return new History(runtime, table, peers, DEFAULT_RESUME);
}

it('of the messages of a peer that it has lost an origin, so many are answered for each end', () => {
  const history = startHistory();
  const [one, other] = [peer('a'), peer('b')];
  const answered = (each: RoomsPeer): number =>
    Array.from({ length: 2 * MAX_LOSSES }, () => history.mayTell(each, 'gone')).filter(Boolean).length;
  expect(answered(one)).toBe(0);
  for (let end = 0; end < 2; end++) {
    history.ended('gone', 'c', true);
    expect([answered(one), answered(other), answered(one)]).toEqual([MAX_LOSSES, MAX_LOSSES, 0]);
    history.met('gone');
  }
});

it('a node that takes one origin after the other makes others forget the end of no other node', () => {
  const history = startHistory();
  history.ended('honest', 'a', true);
  for (let at = 0; at < 2 * MAX_ENDED; at++) history.ended(`o${at}`, 'b', false);
  const ended = history.recentlyEnded();
  expect(ended).toHaveLength(MAX_ENDED);
  expect(ended[0]).toEqual(['honest', true]);
});

it('a node that claims one origin after the other makes others forget the origin of no other node', () => {
  const [honest, hostile, thief] = [peer('a'), peer('b'), peer('c')];
  expect(peers.introduced(honest, 'mine', 'key')).toBe(true);
  peers.down(honest.channelPeer);
  for (let at = 0; at < MAX_ORIGINS; at++) peers.introduced(hostile, `o${at}`, 'other');
  expect(peers.introduced(thief, 'mine', 'third')).toBe(false);
  expect(peers.introduced(thief, 'his', 'key')).toBe(false);
});

/** A peer that takes part; its origin is named as its node. */
const member = (node: string): RoomsPeer => Object.assign(peer(node), { takesPart: true, origin: node });

/** A peer has said `bye`. */
function leave(history: History, each: RoomsPeer, ...bye: [string[], [string, boolean][]]): void {
  each.takesPart = false;
  history.left(each, ...bye);
}

it.each([
  ['whose end it had read itself', [['first', false]], false],
  ['whose end it had not read', [], true],
  ['that was lost there', [['first', true]], true],
] as const)(
  'copies of a node whose end is read after that of another one %s: lost or not',
  (_what, said, areLost) => {
    const history = startHistory();
    const [first, second] = [member('first'), member('second')];
    leave(history, second, ['own'], [...said] as [string, boolean][]);
    leave(history, first, ['own', 'second'], []);
    expect(history.areCopiesLost('first')).toBe(areLost);
  },
);

it('origins that may have got copies are unmet until they introduce themselves, or end, or the window is over', () => {
  const history = startHistory();
  const { clock } = kit;
  const unmet = (): string[] => [...history.unmet().keys()];
  member('present');
  leave(history, member('gone'), [], []);
  clock.skip(1000);
  leave(history, member('left'), ['own', 'present', 'gone', 'met', 'ended', 'unmet'], []);
  expect(history.unmet()).toEqual(new Map(['met', 'ended', 'unmet'].map((each) => [each, 1000])));
  history.met('met');
  history.ended('ended', 'a', false);
  expect(unmet()).toEqual(['unmet']);
  clock.skip(DEFAULT_RESUME.windowMs);
  expect(unmet()).toEqual(['unmet']);
  clock.skip(1);
  expect(unmet()).toEqual([]);
});

it('a node that names one peer after the other makes others forget no other origin that it has not met', () => {
  const history = startHistory();
  leave(history, member('honest'), ['unmet'], []);
  for (let at = 0; at < 2; at++)
    leave(
      history,
      member('b'),
      Array.from({ length: MAX_ENDED }, (_, each) => `o${at}x${each}`),
      [],
    );
  expect([history.unmet().size, history.unmet().has('unmet')]).toEqual([MAX_ENDED, true]);
});
