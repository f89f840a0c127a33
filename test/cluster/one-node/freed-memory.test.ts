// The memory of messages that are gone is used again, instead of pages that the system has to clear first.
import { describe, expect, it } from 'vitest';
import { startChild } from '../../support/child.ts';

const CHILD = new URL('./freed-memory-child.ts', import.meta.url);

/** Of the pages that it filled, the share that was fresh. */
async function freshPages(...args: string[]): Promise<number> {
  const child = startChild(CHILD, { args, nodeOptions: ['--expose-gc'] });
  const line = await child.line(/^fresh pages: /);
  await child.exit();
  return Number(line.slice('fresh pages: '.length));
}

const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };

describe.runIf(header.glibcVersionRuntime !== undefined)('a node that has a name', () => {
  it('keeps the memory of messages for the next ones', { timeout: 300_000 }, async () => {
    // Whether the memory lies at the end of the heap, where glibc would give it back, is a matter of luck: often enough in six.
    for (let n = 0; n < 6; n++) expect(await freshPages('memory@127.0.0.1:0')).toBeLessThan(0.5);
  });
});
