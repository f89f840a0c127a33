// What connections, and the use of one node, leave behind: nothing. Objects of the heap are counted, so no table can be forgotten.
import { afterEach, expect, it } from 'vitest';
import { killChildren, startChild } from '../../support/child.ts';

afterEach(killChildren);

/** What there is more of after `more` rounds of a program, by class: one for every second round at least. */
async function grown(program: string, more: number, ...args: string[]): Promise<Map<string, number>> {
  const first = 60; // what is made once, and tables that reach their size
  const child = startChild(new URL(program, import.meta.url), {
    args: [...args, String(first), String(first + more)],
    nodeOptions: ['--expose-gc'],
  });
  expect(await child.exit(300_000)).toEqual({ code: 0, signal: null });
  const lines = child.stdout().trim().split('\n');
  const all = Object.entries(JSON.parse(lines.at(-1) as string) as Record<string, number>);
  const least = (what: string): number => (what === 'bytes of tables' ? 100 : 0.5) * more;
  return new Map(all.filter(([what, count]) => count >= least(what)));
}

it('P7 a hundred connections with links, monitors, calls, names, groups and rooms leave nothing behind', async () => {
  expect(await grown('./reconnects.ts', 100, 'reconnect')).toEqual(new Map());
}, 300_000);

it('P7 thirty starts of another node leave its number behind, and its place in the rooms that it wrote to', async () => {
  const classes = [...(await grown('./reconnects.ts', 30, 'restart')).keys()].filter(
    (what) => what.startsWith('object ') && !/ (Object|Array|ArrayBuffer|Uint8Array)$/.test(what),
  );
  // The log pauses for each node for a while. Origins are remembered by their node, up to a limit: a Map and an OldestFirst each.
  const pauses = ['object CallbackTimer', 'object system / Context'];
  const stays = classes.filter((what) => !pauses.includes(what));
  expect(stays.sort()).toEqual(['object Identity', 'object Map', 'object OldestFirst', 'object OriginLog']);
}, 300_000);

it('two hundred rounds of what one node can do leave nothing behind', async () => {
  expect(await grown('./churn.ts', 200)).toEqual(new Map());
}, 300_000);
