// Every bench still runs. What it measures here means nothing: one tiny round each.
import { describe, expect, it } from 'vitest';
import { cases } from '../../benches/cases.ts';
import { startChild } from '../support/child.ts';

const RUN = new URL('../../benches/run.ts', import.meta.url);

interface Line {
  readonly suite?: string;
  readonly case?: string;
  readonly metric?: string;
  readonly value?: number;
  readonly run?: { readonly revision: string };
  readonly end?: { readonly failed: number };
}

describe('npm run bench', () => {
  it.each(cases.map(({ name }) => name))('%s gives figures', async (name) => {
    const child = startChild(RUN, { args: ['--quick', '--no-rivals', `^${name}$`] });
    const { code } = await child.exit(50_000);
    expect(code, child.stderr()).toBe(0);
    const lines = child
      .stdout()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Line);
    expect(lines.at(0)?.run?.revision).toBeTruthy();
    expect(lines.at(-1)?.end?.failed).toBe(0);
    const figures = lines.filter((line) => line.case === name);
    expect(figures.length).toBeGreaterThan(0);
    for (const { suite, value } of figures) {
      expect(suite).toBe('snowmesh');
      expect(value).toBeGreaterThan(0);
    }
    expect(child.stderr()).toContain(name);
  });

  it('lists its cases and refuses a filter that fits none', async () => {
    const list = startChild(RUN, { args: ['--list'] });
    expect((await list.exit(20_000)).code).toBe(0);
    for (const { name } of cases) expect(list.stdout()).toContain(name);
    const none = startChild(RUN, { args: ['no-such-case'] });
    expect((await none.exit(20_000)).code).toBe(2);
  });
});
