// A member that answers what it was never asked: it knows docs/wire.md, and guesses references.

import { afterEach, beforeEach, expect, it } from 'vitest';
import { Cluster, type ClusterNode, COOKIE } from '../support/cluster.ts';
import { PlainPeer } from '../support/plain-peer.ts';

/** Ids that a counter would have reached. */
const GUESSES = 2000;

let cluster: Cluster;
let victim: ClusterNode;
let honest: ClusterNode;
beforeEach(async () => {
  cluster = new Cluster();
  [victim, honest] = (await cluster.nodes({ name: 'victim' }, { name: 'honest' })) as [
    ClusterNode,
    ClusterNode,
  ];
});
afterEach(() => cluster.stop());

it('T12 a member that guesses references answers no call and ends no monitor', async () => {
  await honest.run(async (bench) => void (bench.box['silent'] = await bench.probe('silent')));
  const asker = await victim.run(async (bench, node) => {
    const { self } = (bench.box['asker'] = await bench.probe('asker'));
    const local = await bench.probe();
    self.monitor(local.pid);
    self.monitor({ name: 'silent', node });
    bench.box['outcomes'] = [];
    const forEver = { timeout: Number.POSITIVE_INFINITY };
    const call = bench.snow.callWith(self, forEver, { name: 'silent', node }, 'get');
    const told = (outcome: unknown): void => void bench.box['outcomes'].push(outcome);
    call.then(told, told);
    return self.pid.local;
  }, honest.name);

  await using peer = await PlainPeer.dial(
    Number(victim.name.split(':')[1]),
    COOKIE,
    'x@127.0.0.1:1',
    victim.name,
  );
  for (let id = 0n; id < GUESSES; id++) {
    const ref = { owner: peer.ours(peer.mine(asker)), id };
    peer.send('REPLY', ref, 0, 'forged');
    peer.send('MONITOR_EXIT', peer.ours(peer.mine(asker)), ref, 'forged');
  }
  peer.send('REG_SEND', 'asker', 'the end');
  const seen = await victim.run(async (bench) => {
    await bench.box['asker'].count(1);
    return { messages: bench.box['asker'].messages.map(String), outcomes: bench.box['outcomes'] };
  });
  expect(seen).toEqual({ messages: ['the end'], outcomes: [] });
});
