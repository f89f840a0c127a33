// docs/wire.md is enough, third part: starts and stops between a node and a peer that knows only the document.
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { ClusterNode } from '../support/cluster.ts';
import { Meeting, PLAIN } from '../support/meeting.ts';
import type { PlainPeer } from '../support/plain-peer.ts';
import type { PlainPid, PlainRef } from '../support/plain-terms.ts';

type AnySelf = import('../../ts/index.ts').Self<unknown>;

const START = 4;
const RUNS = 0;
const IGNORED = 3;
const ENDED = 3;

let meeting: Meeting;
let node: ClusterNode;
let peer: PlainPeer;
beforeEach(async () => {
  meeting = await Meeting.arrange();
  ({ node, peer } = meeting);
  await node.run((bench) => {
    const { box, snow } = bench;
    box['ends'] = {};
    const stubborn = snow.defineHandler('stubborn', (self: AnySelf, label: string) => {
      self.trapExit(true);
      bench.node.runtime.onDeath(self.pid, (_pid, reason) => void (box['ends'][label] = reason));
      return { onMessage() {}, onTerminate: (reason) => void (box['terminated'] = reason) };
    });
    bench.node.expose(stubborn as never);
    bench.node.expose(snow.defineHandler('unwilling', () => snow.IGNORE) as never);
  });
});
afterEach(() => meeting[Symbol.asyncDispose]());

const request = (id: number): PlainRef => ({ owner: peer.mine(2), id });

/** Asks for a start as our actor 2: its status and the child. */
async function start(id: number, name: string, ...args: unknown[]): Promise<[unknown, PlainPid]> {
  peer.send('SPAWN', peer.mine(2), request(id), START, request(id), name, [args, `name ${id}`, 5000]);
  const [to, asked, status, child] = await peer.next('SPAWN_REPLY');
  expect([peer.ours(to as PlainPid), peer.refOf(asked as PlainRef)]).toEqual([peer.mine(2), request(id)]);
  return [status, peer.ours(child as PlainPid)];
}

it('S3, I1 a start of ours lives beyond the connection when we have confirmed it, and not otherwise', async () => {
  expect((await start(1, 'unwilling'))[0]).toBe(IGNORED);
  const [status, known] = await start(2, 'stubborn', 'known');
  expect(status).toBe(RUNS);
  peer.send('SPAWN_ACK', peer.mine(2), known);
  const [, unknown] = await start(3, 'stubborn', 'unknown');
  peer.send('SPAWN_ACK', peer.mine(9), unknown); // not who asked for it
  await start(4, 'stubborn', 'unconfirmed'); // its reply comes when the frames before are done
  await peer.close();
  const seen = await node.run(async (bench) => {
    await bench.event('nodedown');
    return [bench.box['ends'], bench.node.registered()];
  });
  expect(seen).toEqual([{ unknown: 'killed', unconfirmed: 'killed' }, ['name 2']]);
});

it('S3, I1 a start of theirs is confirmed when our reply has come', async () => {
  const started = node.run(async (bench, name) => {
    const spec = bench.snow.defineHandler('ours', () => ({ onMessage() {} }));
    const result = await bench.snow.start(bench.node.runtime, spec as never, [5] as never, { node: name });
    return result.ok && bench.node.nodeOf(result.pid as never);
  }, PLAIN);
  const [from, asked, flags, , name, term] = await peer.next('SPAWN');
  expect([flags, name, term]).toEqual([START, 'ours', [[5], null, null]]);
  const parent = peer.ours(from as PlainPid);
  peer.send('SPAWN_REPLY', parent, peer.refOf(asked as PlainRef), RUNS, peer.mine(50), undefined);
  expect(await started).toBe(PLAIN);
  const [by, child] = await peer.next('SPAWN_ACK');
  expect([peer.ours(by as PlainPid), peer.ours(child as PlainPid)]).toEqual([parent, peer.mine(50)]);
});

it('I6 a stop of ours is answered with the end of its target', async () => {
  const [, child] = await start(1, 'stubborn', 'stopped');
  peer.send('CALL', peer.mine(2), request(2), 5000, child, ['$snowmesh.stop', [{ why: 'told' }], []]);
  const [ref, status, reason] = await peer.next('REPLY');
  expect([peer.refOf(ref as PlainRef), status, reason]).toEqual([request(2), ENDED, { why: 'told' }]);
  expect(await node.run((bench) => [bench.box['terminated'], bench.box['ends']])).toEqual([
    { why: 'told' },
    { stopped: { why: 'told' } },
  ]);
});
