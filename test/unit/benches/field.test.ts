import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cases } from '../../../benches/cases.ts';
import { LIBRARIES } from '../../../benches/local/field.ts';

const PEERS = new URL('../../../benches/peers/local/', import.meta.url).pathname;

describe('every local case', () => {
  const local = cases.filter(({ name }) => name.startsWith('local/'));

  it.each(local.map((bench) => [bench.name, bench] as const))(
    '%s says of each library whether it does the job, and has Erlang beside it',
    (_, { rivals }) => {
      const { rivals: doing = [], absent = {}, remarks = {} } = rivals?.node ?? {};
      const libraries = Object.keys(LIBRARIES);
      for (const library of libraries) {
        expect([...doing, ...Object.keys(absent)].filter((name) => name === library)).toEqual([library]);
      }
      for (const name of Object.keys(absent)) expect(libraries).toContain(name);
      for (const name of Object.keys(remarks)) expect(doing).toContain(name);
      for (const name of doing) expect(existsSync(join(PEERS, `${name}.mjs`)), name).toBe(true);
      expect(rivals?.erlang).toBeDefined();
    },
  );
});
