// Signals of other nodes for actors that are gone: each that waits for an answer gets one.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type RemotePort, ReplyStatus, type Self } from '../../../ts/actor/index.ts';
import { Pid, Ref } from '../../../ts/term/index.ts';
import { startTestRuntime, type TestRuntime } from '../../../ts/testing/index.ts';

const PEER = 256;
const from = new Pid(PEER, 7);
const ref = new Ref(PEER, 7, 1);

let kit: TestRuntime;
let dead: Pid;
let sent: unknown[][];
beforeEach(async () => {
  kit = startTestRuntime();
  sent = [];
  const port: Partial<RemotePort> = {
    exit: (...signal) => void sent.push(['exit', ...signal]),
    unlinkAck: (...signal) => void sent.push(['unlinkAck', ...signal]),
    monitorExit: (...signal) => void sent.push(['monitorExit', ...signal]),
    reply: (...signal) => void sent.push(['reply', ...signal]),
  };
  kit.runtime.remote = { ...kit.runtime.remote, ...port };
  dead = kit.runtime.spawn(() => {}) as Pid;
  await kit.settle();
});
afterEach(() => kit.stop());

it('C9 a link to a dead actor is answered with one exit signal noproc, and none remains', () => {
  kit.runtime.inbound.link(from, dead.local);
  expect(sent).toEqual([['exit', dead, from, 'noproc']]);
  expect(kit.runtime.links.remoteCount).toBe(0);
});

it('C13 an unlink from a dead actor is acknowledged', () => {
  kit.runtime.inbound.unlink(from, dead.local, 2n ** 64n - 1n);
  expect(sent).toEqual([['unlinkAck', dead, from, 2n ** 64n - 1n]]);
});

it('D2 a monitor of a dead actor, or of a name that nobody has, fires with noproc', () => {
  kit.runtime.inbound.monitor(from, ref, dead.local);
  kit.runtime.inbound.monitorNamed(from, ref, 'nobody');
  expect(sent).toEqual([
    ['monitorExit', dead, from, ref, 'noproc'],
    ['monitorExit', undefined, from, ref, 'noproc'],
  ]);
  expect(kit.runtime.monitors.watcherCount).toBe(0);
});

it('G4 a call of a dead actor, or of a name that nobody has, fails with noproc', () => {
  kit.runtime.inbound.call(from, ref, 1000, dead.local, ['ask', [], []]);
  kit.runtime.inbound.callNamed(from, ref, 1000, 'nobody', ['ask', [], []]);
  const answer = ['reply', null, ref, ReplyStatus.noproc, undefined];
  expect(sent).toEqual([answer, answer]);
});

it('A10 a message, an exit signal or a Down for a dead actor has no effect', () => {
  const { inbound, deadLetters } = kit.runtime;
  inbound.deliver(dead.local, 'hello');
  inbound.exit(from, dead.local, 'why');
  inbound.exit2(from, dead.local, 'why');
  inbound.noPartner(from, dead.local);
  inbound.unlinkAck(from, dead.local, 3);
  inbound.monitorExit(null, dead.local, ref, 'why');
  expect(sent).toEqual([]);
  expect(deadLetters.counts).toMatchObject({ noproc: 1 });
  expect(deadLetters.total).toBe(1);
});

it('C1, D1, F1 signals for a living actor, by id or by name, reach it', async () => {
  const told: unknown[] = [];
  const pid = kit.runtime.spawnHandler((self: Self<unknown>) => {
    self.trapExit(true);
    self.register('named');
    return { onMessage: (message) => void told.push(message) };
  });
  await kit.settle();
  const { inbound, monitors } = kit.runtime;
  inbound.monitorNamed(from, ref, 'named');
  expect(monitors.watcherCount).toBe(1);
  inbound.callNamed(from, ref, 1000, 'named', ['ask', [], []]);
  inbound.exit2(from, pid.local, 'why');
  await kit.settle();
  expect(told).toMatchObject([{ tag: 'ask' }, { from, reason: 'why' }]);
  inbound.exit2(from, pid.local, 'kill');
  await kit.settle();
  expect(sent).toContainEqual(['monitorExit', pid, from, ref, 'killed']);
});
