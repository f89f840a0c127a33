// Calls from other nodes whose caller has given up: a server that never answers does not collect them (G5, P7).
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Self } from '../../../ts/actor/index.ts';
import { STOP_TAG } from '../../../ts/call/index.ts';
import { Pid, Ref } from '../../../ts/term/index.ts';
import { startTestRuntime, type TestRuntime } from '../../../ts/testing/index.ts';

const PEER = 256;
const far = new Pid(PEER, 7);

let kit: TestRuntime;
beforeEach(() => void (kit = startTestRuntime()));
afterEach(() => kit.stop());

it('G5, P7 calls whose time is over are forgotten, others are not', async () => {
  const { runtime } = kit;
  const silent = runtime.spawn(async (self: Self) => {
    for (;;) await self.receive();
  });
  let calls = 0;
  const ask = (ms: number): void =>
    runtime.inbound.call(far, new Ref(PEER, 7, ++calls), ms, silent.local, ['ask', [], []]);
  for (let count = 0; count < 10; count++) ask(1_000_000);
  for (let round = 0; round < 20; round++) {
    for (let count = 0; count < 1000; count++) ask(50);
    await kit.advance(100);
  }
  expect(runtime.inboundCalls.size).toBeLessThan(3000);
  expect(runtime.inboundCalls.openCount).toBe(10);
});

it('G5, I6 stop requests whose time is over are forgotten', async () => {
  const { runtime } = kit;
  const stubborn = runtime.spawnHandler((self: Self) => ({ onMessage: () => self.sleep(1e9) }));
  runtime.send(stubborn, 'sleep');
  await kit.settle();
  for (let round = 0, calls = 0; round < 20; round++) {
    for (let count = 0; count < 1000; count++)
      runtime.inbound.call(far, new Ref(PEER, 7, ++calls), 50, stubborn.local, [STOP_TAG, ['normal'], []]);
    await kit.advance(100);
  }
  expect(runtime.inboundCalls.size).toBeLessThan(3000);
});
