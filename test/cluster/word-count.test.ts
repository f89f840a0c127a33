// The main job as its users run it: a real process, real files, and nothing left behind.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Child, hasSignals, killChildren, root, startChild } from '../support/child.ts';
import { until } from '../support/deadline.ts';

const MAIN = new URL('../../examples/word-count/main.ts', import.meta.url);
/** Three processes start and load the library; on a busy machine that takes its time. */
const PATIENCE_MS = 45_000;

let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'snowmesh-words-'));
  mkdirSync(join(folder, 'texts/deeper'), { recursive: true });
  writeFileSync(join(folder, 'texts/one.txt'), 'The cat sat. The CAT, the café; caf\u0065\u0301!\n');
  writeFileSync(join(folder, 'texts/deeper/two.md'), "# The end\n\nDon't stop: don't!\n");
  writeFileSync(join(folder, 'texts/.hidden'), 'hidden hidden hidden hidden hidden');
  writeFileSync(join(folder, 'texts/empty.txt'), '');
  writeFileSync(join(folder, 'picture.bin'), Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 1, 2, 3]));
  writeFileSync(join(folder, 'latin1.txt'), Buffer.from([0x63, 0x61, 0x66, 0xe9, 0x20]));
  // Long enough that a node is still at work when something happens to it.
  const line = Array.from({ length: 20 }, (_, n) => `word${n} and`).join(' ');
  writeFileSync(join(folder, 'long.txt'), `${line}\n`.repeat(100_000));
});

afterEach(killChildren);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const start = (...args: string[]): Child => startChild(MAIN, { args, cwd: root });

/** The process ids it printed, one a node. */
const nodesOf = (child: Child): number[] =>
  [...child.stdout().matchAll(/^ {2}[abc]@\S+ {2}pid (\d+)/gm)].map(([, pid]) => Number(pid));

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function expectNobodyLeft(pids: readonly number[]): Promise<void> {
  expect(pids).toHaveLength(3);
  await until('the end of every node process', () => !pids.some(isAlive));
}

describe('npm start', () => {
  it("counts the project's own documents on three nodes, exactly", async () => {
    const child = start();
    expect(await child.exit(PATIENCE_MS), child.stderr()).toEqual({ code: 0, signal: null });
    const output = child.stdout();
    expect(output).toMatch(/Three nodes are up and connected over TLS/);
    expect(output).toMatch(
      /[1-9][\d ]* messages, [1-9][\d ]* of them between processes; [1-9][\d ]* a second\./,
    );
    expect(output.match(/^ {2}[abc]@\S+ sees [abc]@\S+ and [abc]@\S+$/gm)).toHaveLength(3);
    expect(output).toMatch(/The 10 most frequent of [\d ]+ different words:\n +[\d ]+ {2}[a-z]+\n/);
    expect(output).toMatch(/Checked: a single process counts the same, word for word/);
    expect(child.stderr()).toBe('');
    await expectNobodyLeft(nodesOf(child));
  });

  it('walks a folder, names what it skips, and counts the rest', async () => {
    const missing = join(folder, 'no-such-file.txt');
    const child = start(
      join(folder, 'texts'),
      join(folder, 'texts/one.txt'), // once more: still counted once
      missing,
      join(folder, 'picture.bin'),
      join(folder, 'latin1.txt'),
    );
    expect(await child.exit(PATIENCE_MS), child.stderr()).toEqual({ code: 0, signal: null });
    expect(child.stderr().trim().split('\n')).toEqual([
      `Skipped ${missing}: there is no such file or folder.`,
      `Skipped ${join(folder, 'picture.bin')}: it is a binary file.`,
      `Skipped ${join(folder, 'latin1.txt')}: it is not UTF-8 text.`,
    ]);
    expect(child.stdout()).toContain('Reading 3 files');
    expect(child.stdout()).toContain(
      "The 7 most frequent of 7 different words:\n  4  the\n  2  café\n  2  cat\n  2  don't\n",
    );
    expect(child.stdout()).toContain('counts the same, word for word (13 words)');
    await expectNobodyLeft(nodesOf(child));
  });

  it('says so when there is nothing to read, and ends with 2', async () => {
    const child = start(join(folder, 'no-such-folder'), join(folder, 'picture.bin'));
    expect(await child.exit(PATIENCE_MS)).toEqual({ code: 2, signal: null });
    expect(child.stderr()).toMatch(
      /Nothing to read: none of these paths holds a text file that can be read\./,
    );
    expect(child.stdout()).toBe('');
  });

  it('explains itself', async () => {
    const help = start('--help');
    expect(await help.exit(PATIENCE_MS)).toEqual({ code: 0, signal: null });
    expect(help.stdout()).toMatch(/^Counts the words of files[\s\S]*Usage: npm start/);
    const wrong = start('--tops', '3');
    expect(await wrong.exit(PATIENCE_MS)).toEqual({ code: 2, signal: null });
    expect(wrong.stderr()).toMatch(/Unknown option '--tops'.* See --help\./);
    const nobody = start('--kill', 'd');
    expect(await nobody.exit(PATIENCE_MS)).toEqual({ code: 2, signal: null });
    expect(nobody.stderr()).toMatch(/--kill takes one of a, b, c, not "d"\. See --help\./);
  });

  it.runIf(hasSignals)('ends with 130 and leaves no process behind on Ctrl-C', async () => {
    const child = start(join(folder, 'long.txt'));
    await child.line('Reading 1 file', PATIENCE_MS);
    child.kill('SIGINT');
    expect(await child.exit(PATIENCE_MS)).toEqual({ code: 130, signal: null });
    await expectNobodyLeft(nodesOf(child));
  });

  it.each(['b', 'a'])(
    'kills node %s in the middle when asked to, and still counts exactly',
    async (letter) => {
      const child = start('--kill', letter);
      expect(await child.exit(PATIENCE_MS), child.stderr()).toEqual({ code: 0, signal: null });
      const output = child.stdout();
      const name = new RegExp(`^ {2}(${letter}@\\S+)`, 'm').exec(output)?.[1];
      expect(output).toMatch(`Half is read. Node ${name} (pid `);
      expect(output).toMatch(/Node [ab]@\S+ \(pid \d+\) was lost: its process ended \(SIGKILL\)\./);
      if (letter === 'b')
        expect(output).toMatch(
          /The 4 counters of b@\S+ go on at a@\S+ and c@\S+, which got [1-9][\d ]* words again\./,
        );
      else expect(output).toMatch(/It was the one that read: b@\S+ reads from the beginning\./);
      expect(output.match(/^ {2}[abc]@\S+ sees [abc]@\S+$/gm)).toHaveLength(2);
      expect(output).toMatch(/Checked: a single process counts the same, word for word/);
      expect(child.stderr()).toBe('');
      await expectNobodyLeft(nodesOf(child));
    },
  );

  it('survives that somebody else kills one node after the other, also the one that reads', {
    timeout: 2 * PATIENCE_MS,
  }, async () => {
    const child = start(join(folder, 'long.txt'));
    await child.line('words in', PATIENCE_MS); // some progress was made
    const [a = 0, b = 0] = nodesOf(child);
    process.kill(b, 'SIGKILL');
    await child.line('counters of b@', PATIENCE_MS);
    process.kill(a, 'SIGKILL');
    expect(await child.exit(PATIENCE_MS), child.stderr()).toEqual({ code: 0, signal: null });
    expect(child.stdout()).toMatch(/It was the one that read: c@\S+ reads from the beginning\./);
    expect(child.stdout()).toMatch(/^ {2}c@\S+ sees nobody else$/m);
    expect(child.stdout()).toContain('counts the same, word for word (4 000 000 words)');
    await expectNobodyLeft(nodesOf(child));
  });

  it('ends with 1 and says why when every node is lost', async () => {
    const child = start(join(folder, 'long.txt'));
    await child.line('Reading 1 file', PATIENCE_MS);
    for (const pid of nodesOf(child)) process.kill(pid, 'SIGKILL');
    expect(await child.exit(PATIENCE_MS)).toEqual({ code: 1, signal: null });
    expect(child.stdout().match(/was lost: its process ended \(SIGKILL\)\./g)).toHaveLength(3);
    expect(child.stderr()).toMatch(/Node \S+ \(pid \d+\) was lost: .* The count is void\./);
    await expectNobodyLeft(nodesOf(child));
  });

  it('leaves no process behind even when it is killed itself', async () => {
    const child = start(join(folder, 'long.txt'));
    await child.line('Reading 1 file', PATIENCE_MS);
    child.kill('SIGKILL');
    await child.exit(PATIENCE_MS);
    await expectNobodyLeft(nodesOf(child));
  });
});
