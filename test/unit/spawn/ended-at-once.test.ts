// An actor that a subscriber of the spawn event ends before its first turn: who waits for it is told.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Down, defineHandler, Exit, type RemotePort, SpawnStatus, start } from '../../../ts/actor/index.ts';
import { InboundSpawns } from '../../../ts/spawn/index.ts';
import { Pid, Ref } from '../../../ts/term/index.ts';
import { startTestRuntime, type TestRuntime } from '../../../ts/testing/index.ts';

const PEER = 256;
const [MONITOR, START] = [2, 4];
const EVENT = 'snowmesh:actor:spawn';
const unwanted = defineHandler('unwanted', () => expect.unreachable());

let kit: TestRuntime;
beforeEach(() => {
  kit = startTestRuntime();
  subscribe(EVENT, end);
});
afterEach(() => {
  unsubscribe(EVENT, end);
  kit.stop();
});

function end(event: unknown): void {
  const { pid, label } = event as { pid: Pid; label: string };
  if (label === 'unwanted') kit.runtime.sendExit(pid, 'unwanted');
}

it('I1 a start fails with the reason of the end', async () => {
  const outcome = await start(kit.runtime, unwanted, [], { name: 'name' });
  expect(outcome).toMatchObject({ ok: false, reason: 'unwanted' });
  expect(kit.runtime.whereis('name')).toBeUndefined();
});

it('C15 and D15: link and monitor tell the reason of the end', async () => {
  const probe = await kit.probe();
  probe.self.trapExit(true);
  const { pid, ref } = probe.self.spawnWith({ link: true, monitor: true }, unwanted);
  await kit.settle();
  expect(probe.messages).toEqual([new Exit(pid, 'unwanted', 'link'), new Down(ref, pid, 'unwanted')]);
});

it('I2 a start for another node fails with the reason of the end, and takes no room', () => {
  const told: unknown[][] = [];
  const port: Partial<RemotePort> = {
    spawnReply: (_child, _to, request, status, detail) =>
      void told.push(['reply', request.id, status, detail]),
    monitorExit: (_from, _to, ref, reason) => void told.push(['down', ref.id, reason]),
  };
  kit.runtime.remote = { ...kit.runtime.remote, ...port };
  kit.runtime.expose(unwanted);
  const { spawner, links, monitors } = kit.runtime;
  const spawns = new InboundSpawns(kit.runtime, spawner, links, monitors, { count: 1, memory: 1e6 });
  for (const id of [1, 2]) {
    const ref = new Ref(PEER, 7, id);
    const order = { from: new Pid(PEER, 7), request: ref, monitor: ref, function: 'unwanted' };
    spawns.order({ ...order, flags: START | MONITOR, term: [[], null, null] });
  }
  expect(told).toEqual(
    [1, 2].flatMap((id) => [
      ['down', id, 'unwanted'],
      ['reply', id, SpawnStatus.failed, 'unwanted'],
    ]),
  );
});
