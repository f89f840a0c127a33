// A call whose arguments have a getter, which ends the call while they are copied.
import { describe, expect, it } from 'vitest';
import { request as ask, type Call, type HandlerBody, type Self } from '../../../ts/actor/index.ts';
import type { Cell } from '../../../ts/kernel/index.ts';
import type { Pid } from '../../../ts/term/index.ts';
import { kit, probe } from '../../support/kit.ts';

const tags: string[] = [];

function target(): Pid<never> {
  tags.length = 0;
  const onMessage = (message: unknown): void => void tags.push((message as Call).tag);
  return kit.runtime.spawnHandler((): HandlerBody => ({ onMessage })) as Pid<never>;
}

/** The target has received nothing, and nothing of a call is left in it or in the runtime. */
async function expectNoTrace(pid: Pid<never>): Promise<void> {
  await kit.settle();
  const { calls, timers } = kit.runtime;
  const callers = (pid.route as Cell).extra?.callers ?? null;
  expect([tags, callers, calls.size, timers.size]).toEqual([[], null, 0, 0]);
}

describe('a call that a getter of its arguments ends', () => {
  it('G5 fails, is not sent, and leaves nothing when it is aborted', async () => {
    const pid = target();
    const abort = new AbortController();
    const args = {
      get late() {
        abort.abort('enough');
        return 1;
      },
    };
    const given = ask(probe.self, pid, 'hold', [args], { signal: abort.signal });
    await expect(given).rejects.toMatchObject({ state: 'aborted', reason: 'enough' });
    await expectNoTrace(pid);
  });

  it('A7 G5 is not sent, and leaves nothing, when its caller is ended', async () => {
    const pid = target();
    kit.runtime.spawn((self: Self) => {
      const args = {
        get late() {
          kit.runtime.sendExit(self.pid, 'kill');
          return 1;
        },
      };
      void ask(self, pid, 'hold', [args]);
    });
    await expectNoTrace(pid);
  });
});
