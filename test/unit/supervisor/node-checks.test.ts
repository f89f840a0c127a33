// Looks for nodes: each has one outcome, and leaves nothing.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Down, type Self, Timeout, type TimerRef } from '../../../ts/actor/index.ts';
import { NodeChecks } from '../../../ts/supervisor/node-checks.ts';
import type { Ref } from '../../../ts/term/index.ts';
import { startTestRuntime, type TestRuntime } from '../../../ts/testing/index.ts';
import { FAR, FarNode } from './far-node.ts';

let kit: TestRuntime;
let far: FarNode;
let checks: NodeChecks;
let outcomes: boolean[];
/** What the check waits for. */
let ref: Ref;
let timer: TimerRef;
beforeEach(async () => {
  kit = startTestRuntime();
  far = new FarNode(kit.runtime);
  outcomes = [];
  const { monitor } = kit.runtime.remote;
  kit.runtime.remote.monitor = (from, made, target) => {
    ref = made;
    monitor(from, made, target);
  };
  kit.runtime.spawn(async (self: Self<unknown>) => {
    const { startTimer } = self;
    self.startTimer = ((...args: Parameters<typeof startTimer>) =>
      (timer = startTimer.apply(self, args))) as typeof startTimer;
    checks = new NodeChecks(self);
    for (;;) {
      const message = await self.receive();
      if (message instanceof Down) await checks.down(message);
      if (message instanceof Timeout) await checks.timeout(message);
    }
  });
  await kit.settle();
});
afterEach(() => kit.stop());

function check(): void {
  checks.check(FAR, 100, (isReached) => void outcomes.push(isReached));
}

/** Both ends come late: they were in the mailbox when the check ended. */
function expectOver(outcome: boolean): void {
  const { monitors, timers } = kit.runtime;
  expect([monitors.remoteCount, timers.size]).toEqual([0, 0]);
  void checks.down(new Down(ref, { name: 'nobody', node: FAR }, 'noproc'));
  void checks.timeout(new Timeout(timer, null));
  expect(outcomes).toEqual([outcome]);
}

it('S2 a node that answers is reached', async () => {
  check();
  await kit.settle();
  expectOver(true);
});

it('S2 a node that does not answer in time is not reached', async () => {
  far.isFrozen = true;
  check();
  await kit.advance(99);
  expect(outcomes).toEqual([]);
  await kit.advance(1);
  expectOver(false);
});

it('S2 a node that cannot be reached is known to be away at once', async () => {
  far.isUp = false;
  check();
  await kit.settle();
  expectOver(false);
});
