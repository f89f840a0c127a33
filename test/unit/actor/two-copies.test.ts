// Rule V3: the package twice in one process.
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type * as Snowmesh from '../../../ts/index.ts';

let first: typeof Snowmesh;
let second: typeof Snowmesh;
let here: Awaited<ReturnType<typeof Snowmesh.startNode>>;
let there: Awaited<ReturnType<typeof Snowmesh.startNode>>;
beforeAll(async () => {
  first = await import('../../../ts/index.ts');
  vi.resetModules();
  second = await import('../../../ts/index.ts');
  here = await first.startNode({ logger: first.silentLogger });
  there = await second.startNode({ logger: second.silentLogger });
});
afterAll(() => Promise.all([here.stop(), there.stop()]));

const counter = (copy: typeof Snowmesh) =>
  copy.defineServer({
    name: 'counter',
    init: () => ({ count: 0 }),
    calls: { add: ({ state }, by: number) => (state.count += by) },
  });

describe('two copies of the package', () => {
  it('V3 have runtimes of their own, which work side by side', async () => {
    expect(first.Pid).not.toBe(second.Pid);
    const [one, other] = [await counter(first).start(here), await counter(second).start(there)];
    expect(await first.call(here, one, 'add', 1)).toBe(1);
    expect(await second.call(there, other, 'add', 2)).toBe(2);
  });

  it('V3 refuse each other’s servers, machines and supervisors', async () => {
    const machine = first.defineStateMachine({
      name: 'machine',
      init: (): Snowmesh.MachineStart<'on', null> => ({ state: 'on', data: null }),
      states: { on: {} },
    });
    const top = first.defineSupervisor({ name: 'top', children: [] });
    for (const spec of [counter(first), machine, top]) {
      const own = second.defineSupervisor({
        name: 'own',
        children: [second.childSpec('stranger', spec as never)],
      });
      await expect(own.start(there)).rejects.toThrow(/another copy of snowmesh/);
    }
  });

  it('V3 refuse each other’s nodes, actors and PIDs', async () => {
    const stranger = await counter(first).start(here);
    await expect(counter(second).start(here as never)).rejects.toThrow(/another copy of snowmesh/);
    expect(() => second.call(here as never, stranger as never, 'add', 1)).toThrow(
      expect.objectContaining({ code: 'SNOW_ERR_BAD_CALLER' }),
    );
    expect(() => there.send(stranger as never, 'hello' as never)).toThrow(
      expect.objectContaining({ code: 'SNOW_ERR_BAD_DEST' }),
    );
    const own = there.spawn(async (self: Snowmesh.Self) => void (await self.receive()));
    expect(() => there.send(own, { from: stranger })).toThrow(
      expect.objectContaining({ code: 'SNOW_ERR_UNSENDABLE' }),
    );
  });
});
