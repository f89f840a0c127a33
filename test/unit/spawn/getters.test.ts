// A spawn whose arguments have a getter, which ends the caller while they are copied.
import { expect, it } from 'vitest';
import { defineActor, type Self } from '../../../ts/actor/index.ts';
import { kit } from '../../support/kit.ts';

it('A7 spawnOn makes no actor on the own node for a caller that has ended', async () => {
  const worker = defineActor('worker', async (self: Self, _args: unknown) => void (await self.receive()));
  kit.runtime.expose(worker);
  await kit.settle();
  const before = kit.runtime.size;
  kit.runtime.spawn((self: Self) => {
    const args = {
      get late() {
        kit.runtime.sendExit(self.pid, 'kill');
        return 1;
      },
    };
    void self.spawnOn('nonode@nohost', worker, [args], { link: true });
  });
  await kit.settle();
  expect(kit.runtime.size).toBe(before);
});
