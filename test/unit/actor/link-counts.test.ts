// The links and monitors of an actor can be counted from outside.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { defineActor, type RemotePort, type Self } from '../../../ts/actor/index.ts';
import { Pid, Ref } from '../../../ts/term/index.ts';
import { type Probe, startTestRuntime, type TestRuntime } from '../../../ts/testing/index.ts';

const FAR = new Pid(256, 7);

let kit: TestRuntime;
let probe: Probe;
let self: Self;
beforeEach(async () => {
  kit = startTestRuntime();
  const silent: Partial<RemotePort> = { link() {}, unlink() {}, monitor() {}, demonitor() {}, spawn() {} };
  kit.runtime.remote = { ...kit.runtime.remote, ...silent };
  probe = await kit.probe();
  ({ self } = probe);
});
afterEach(() => kit.stop());

const idle = (): Pid<unknown> =>
  kit.runtime.spawn(async (own: Self) => {
    await own.receive('never');
  });

it('counts links: each partner once, a removed link not even while its partner has not confirmed', () => {
  const partners = [...Array.from({ length: 20 }, idle), FAR] as Pid[];
  for (const partner of [...partners, ...partners]) self.link(partner);
  expect(kit.runtime.linkCounts(self.pid)).toEqual({ links: 21, monitors: 0, monitoredBy: 0, spawns: 0 });
  self.unlink(FAR);
  self.unlink(partners[0] as Pid);
  expect(kit.runtime.linkCounts(self.pid)?.links).toBe(19);
  expect(kit.runtime.linkCounts(partners[1] as Pid)?.links).toBe(1);
});

it('counts monitors at both ends, until they fire or are removed', async () => {
  const target = idle();
  const refs = [self.monitor(target), self.monitor(target), self.monitor(FAR)];
  kit.runtime.inbound.monitor(FAR, new Ref(256, 7, 1), target.local);
  expect(kit.runtime.linkCounts(self.pid)?.monitors).toBe(3);
  expect(kit.runtime.linkCounts(target)?.monitoredBy).toBe(3);
  self.demonitor(refs[0] as Ref);
  expect(kit.runtime.linkCounts(self.pid)?.monitors).toBe(2);
  expect(kit.runtime.linkCounts(target)?.monitoredBy).toBe(2);
  kit.runtime.sendExit(target, 'kill');
  await kit.settle();
  expect(kit.runtime.linkCounts(self.pid)?.monitors).toBe(1);
});

it('counts the spawns of this actor that another node has not answered', () => {
  const spec = defineActor('worker', async () => {});
  const lost = (promise: Promise<unknown>): void => void promise.catch(() => {});
  lost(self.spawnOn('far@host:1', spec, []));
  lost(self.spawnOn('far@host:1', spec, []));
  expect(kit.runtime.linkCounts(self.pid)?.spawns).toBe(2);
  expect(kit.runtime.linkCounts(idle())?.spawns).toBe(0);
});

it('is undefined for an actor that is dead, on another node, or of another node object', () => {
  const dead = idle();
  kit.runtime.sendExit(dead, 'kill');
  const other = startTestRuntime();
  const theirs = other.runtime.spawn(async (own: Self) => void (await own.receive()));
  expect([dead, FAR, theirs].map((pid) => kit.runtime.linkCounts(pid as Pid))).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
  other.stop();
});
