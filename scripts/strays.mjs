// Finds processes by a variable in the environment they were started with. Linux only (/proc); elsewhere it finds none.
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const GRACE_MS = 3_000;

/**
 * The processes whose environment contains `mark` (`NAME=value`) and that have not ended after some seconds.
 * @param {string} mark
 * @returns {Promise<{ pid: number, commandLine: string }[]>}
 */
export async function findStrays(mark) {
  const end = performance.now() + GRACE_MS;
  for (;;) {
    const found = marked(mark);
    if (found.length === 0 || performance.now() > end) return found;
    await sleep(50);
  }
}

function marked(mark) {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => read(pid, 'environ').split('\0').includes(mark))
    .map((pid) => ({ pid: Number(pid), commandLine: read(pid, 'cmdline').replaceAll('\0', ' ') }));
}

function read(pid, file) {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return ''; // it has ended, or reading it is not allowed
  }
}
