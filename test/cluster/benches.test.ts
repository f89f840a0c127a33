// Every bench still runs. What it measures here means nothing: one tiny round each.
import { describe, expect, it } from 'vitest';
import { cases } from '../../benches/cases.ts';
import { startChild } from '../support/child.ts';

const RUN = new URL('../../benches/run.ts', import.meta.url);
/** Some sixty processes start, most of them one after the other. */
const PATIENCE_MS = 600_000;

interface Line {
  readonly suite?: string;
  readonly case?: string;
  readonly value?: number;
  readonly unit?: string;
  readonly run?: { readonly revision: string };
  readonly end?: { readonly failed: number };
}

describe('npm run bench', () => {
  it.each(['cluster', 'local', 'watching', 'growth', 'micro', 'rooms'])(
    'gives figures for every case in %s/',
    async (folder) => {
      const child = startChild(RUN, { args: ['--quick', '--no-rivals', `^${folder}/`] });
      const { code } = await child.exit(PATIENCE_MS);
      expect(code, child.stderr()).toBe(0);
      const lines = child.stdout().trim().split('\n');
      const parsed = lines.map((line) => JSON.parse(line) as Line);
      expect(parsed.at(0)?.run?.revision).toBeTruthy();
      expect(parsed.at(-1)?.end?.failed).toBe(0);
      for (const { name } of cases.filter((bench) => bench.name.startsWith(`${folder}/`))) {
        const figures = parsed.filter((line) => line.case === name && line.suite !== undefined);
        expect(figures.length, name).toBeGreaterThan(0);
        for (const { suite, value, unit } of figures) {
          expect(suite).toBe('snowmesh');
          // By how much a heap has grown for a few connections: what was collected meanwhile may be more.
          if (folder === 'rooms' && unit === 'bytes') expect(value, name).toBeTypeOf('number');
          else expect(value, name).toBeGreaterThan(0);
        }
        expect(child.stderr()).toContain(name);
      }
    },
    PATIENCE_MS,
  );

  it('has every case in one of these folders', () => {
    for (const { name } of cases)
      expect(name).toMatch(/^(cluster|local|watching|growth|micro|rooms)\/[\w-]+$/);
  });

  it('lists its cases and refuses a filter that fits none', async () => {
    const list = startChild(RUN, { args: ['--list'] });
    expect((await list.exit()).code).toBe(0);
    for (const { name } of cases) expect(list.stdout()).toContain(name);
    const none = startChild(RUN, { args: ['no-such-case'] });
    expect((await none.exit()).code).toBe(2);
  });
});
