// Supervisors of children on a node that is cut off, frozen, crashed and healed at random: requests are always served (S2, J10), and
// in the end exactly the children that the supervisor knows of are left (S3).
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { defineActor, type Self, stop } from '../../ts/actor/index.ts';
import { type ChildOptions, childSpec, defineSupervisor, whichChildren } from '../../ts/supervisor/index.ts';
import { startTestRuntime } from '../../ts/testing/index.ts';
import { checkAsync } from '../support/seed.ts';
import { FAR, FarNode } from '../unit/supervisor/far-node.ts';

const sitter = defineActor('sitter', async (self: Self) => void (await self.receive()));

const events = ['cut', 'freeze', 'crash', 'heal', 'end', 'wait', 'stop', 'kill'] as const;
const plan = fc.record({
  strategy: fc.constantFrom('one_for_one' as const, 'rest_for_one' as const, 'one_for_all' as const),
  intensity: fc.integer({ min: 0, max: 5 }),
  children: fc.array(fc.constantFrom<ChildOptions>({}, { node: FAR }, { node: FAR, onNodeLost: 'wait' }), {
    minLength: 1,
    maxLength: 4,
  }),
  losses: fc.array(fc.tuple(fc.constantFrom(...events), fc.integer({ min: 0, max: 3000 })), {
    maxLength: 12,
  }),
});

it('S2, S3, J10 holds for any order of losses', async () => {
  await checkAsync(
    fc.asyncProperty(plan, async ({ strategy, intensity, children, losses }) => {
      const kit = startTestRuntime();
      const far = new FarNode(kit.runtime);
      try {
        const specs = children.map((options, index) => childSpec(`x${index}`, sitter, options));
        const top = defineSupervisor({ name: 'top', strategy, intensity, period: 5000, children: specs });
        const pid = await top.start(kit);
        const ended: unknown[] = [];
        for (const [event, number] of losses) {
          if (event === 'cut') far.cut();
          else if (event === 'freeze') far.freeze();
          else if (event === 'crash') far.crash();
          else if (event === 'heal') far.heal();
          else if (event === 'end') {
            const [local] = [...far.living].slice(number % Math.max(1, far.living.size));
            if (local !== undefined && far.isUp && !far.isFrozen) far.end(local, 'oops');
          } else if (event === 'wait') await kit.advance(number);
          else if (event === 'stop') ended.push(stop(kit, pid, 'shutdown').catch(() => {}));
          else kit.runtime.sendExit(pid, 'kill');
          await kit.settle();
          if (!kit.runtime.isAlive(pid) || ended.length > 0) continue;
          let isAnswered = false;
          void whichChildren(kit, pid).then(
            () => (isAnswered = true),
            () => (isAnswered = true),
          );
          await kit.settle();
          expect(isAnswered, `${event} ${number}`).toBe(true);
        }
        far.heal();
        await kit.advance(200_000);
        if (kit.runtime.isAlive(pid)) {
          const known = await whichChildren(kit, pid);
          const there = known
            .map((child) => child.pid)
            .filter((one) => typeof one === 'object' && one.nc !== 0);
          expect(far.living.size).toBe(there.length);
          expect(known.every((child) => typeof child.pid === 'object')).toBe(true);
        } else expect(far.living.size).toBe(0);
      } finally {
        kit.stop();
      }
    }),
    { numRuns: 60 },
  );
});
