// Any order of giving and taking back exit callbacks, some of which fail, take back others or give new ones: those that are left run
// once each, the newest first, and whatever else happens at the end happens.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Self } from '../../ts/actor/index.ts';
import { startTestRuntime } from '../../ts/testing/index.ts';
import { checkAsync } from '../support/seed.ts';

type Effect = 'none' | 'throw' | 'reject' | 'take back' | 'give';

const step = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('give' as const),
      effect: fc.constantFrom<Effect>('none', 'throw', 'reject', 'take back', 'give'),
      at: fc.nat({ max: 30 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('take back' as const), at: fc.nat({ max: 30 }) }) },
);
const reason = fc.constantFrom('normal', 'kill', 'boom', 'shutdown');

it('A12 exit callbacks follow a plain model', async () => {
  await checkAsync(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), reason, async (steps, why) => {
      const kit = startTestRuntime();
      try {
        const ran: number[] = [];
        const reasons = new Set<unknown>();
        const backs: (() => void)[] = [];
        let given: { id: number; effect: Effect; at: number }[] = [];
        const pid = kit.runtime.spawn(async (self: Self) => {
          for (const each of steps) {
            if (each.do === 'take back') {
              backs[each.at]?.();
              given = given.filter(({ id }) => id !== each.at);
              continue;
            }
            const { effect, at } = each;
            const id = backs.length;
            given.push({ id, effect, at });
            backs.push(
              self.onExit((got) => {
                ran.push(id);
                reasons.add(got);
                if (effect === 'throw') throw new Error('thrown');
                if (effect === 'reject') return Promise.reject(new Error('rejected'));
                if (effect === 'take back') backs[at]?.();
                if (effect === 'give') self.onExit(() => ran.push(-1 - id));
                return undefined;
              }),
            );
          }
          if (why === 'normal') return;
          await self.receive();
        });
        await kit.settle();
        if (why !== 'normal') kit.runtime.sendExit(pid, why);
        await kit.settle();

        const expected: number[] = [];
        let failures = 0;
        for (let last = given.pop(); last !== undefined; last = given.pop()) {
          const { id, effect, at } = last;
          expected.push(id);
          if (effect === 'throw' || effect === 'reject') failures++;
          if (effect === 'take back') given = given.filter((each) => each.id !== at);
          if (effect === 'give') expected.push(-1 - id);
        }
        expect(ran).toEqual(expected);
        expect(kit.logged('exit_callback_failed')).toHaveLength(failures);
        if (expected.length > 0) expect([...reasons]).toEqual([why === 'kill' ? 'killed' : why]);
        expect(kit.runtime.isAlive(pid)).toBe(false);
      } finally {
        kit.stop();
      }
    }),
  );
});
