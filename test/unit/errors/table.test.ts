import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ERRORS } from '../../../ts/errors/index.ts';

describe('docs/errors.md', () => {
  it('lists every code with its summary and remedy, and no other', () => {
    const page = readFileSync(new URL('../../../docs/errors.md', import.meta.url), 'utf8');
    const listed = [...page.matchAll(/^\| `(SNOW_ERR_\w+)` \| (.*) \| (.*) \|$/gm)].map(([, ...row]) => row);
    const expected = Object.entries(ERRORS).map(([code, { summary, remedy }]) => [code, summary, remedy]);
    expect(new Set(listed.map(String))).toEqual(new Set(expected.map(String)));
  });
});
