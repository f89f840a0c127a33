// What a node's peers cost while nothing is sent: the CPU time of each process of an idle mesh, and the time until the mesh is complete.
import { type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { ask } from '../cluster/member-process.ts';
import { type MeshOrder, type MeshReport, startAll } from '../cluster/mesh.ts';
import type { BenchCase, Round, Settings } from '../harness.ts';
import { roundOf } from './ladder.ts';

const SIZES = [2, 4, 8, 16, 32];
const QUICK_SIZES = [2, 3];
/** Several rounds of the pings that a session sends when nothing else crosses it. */
const IDLE_SECONDS = 5;

export const nodeGrowth: readonly BenchCase[] = [
  {
    name: 'growth/nodes',
    about:
      'Mesh of 2 to 32 nodes: CPU time of a node that does nothing, and the time until all are connected, by pair.',
    rounds: 2,
    processes: 1,
    open: (settings: Settings) => ({ round: () => oneRound(settings) }),
  },
];

async function oneRound({ quick }: Settings): Promise<Round> {
  const costs: [string, number][] = [];
  let times: Round = {};
  for (const size of quick ? QUICK_SIZES : SIZES) {
    const { idle, mesh } = await measure(size, quick ? 0.1 : IDLE_SECONDS);
    costs.push([`${size}`, idle]);
    times = { ...times, [`mesh_${size}`]: { value: mesh, unit: 'ms' } };
  }
  return { ...times, ...roundOf(costs, 'us/s') };
}

/** `idle`: µs of CPU time a second and node; `mesh`: ms until it was whole. */
async function measure(size: number, seconds: number): Promise<{ idle: number; mesh: number }> {
  const cookie = randomBytes(32).toString('base64url');
  const members: ChildProcess[] = [];
  try {
    const seed = await startAll(members, size, cookie);
    const start = performance.now();
    await Promise.all(
      members.map((member) => ask<MeshReport>(member, { join: { seed, size } } satisfies MeshOrder)),
    );
    const mesh = performance.now() - start;
    await sleep(seconds * 1000); // until the work of the start is done
    const before = await cpuOf(members);
    await sleep(seconds * 1000);
    return { idle: (((await cpuOf(members)) - before) * 1e6) / seconds / size, mesh };
  } finally {
    const gone = members.map((member) => new Promise((resolve) => member.once('exit', resolve)));
    for (const member of members) member.kill('SIGKILL');
    await Promise.all(gone);
  }
}

/** Of all together. Unit: seconds. */
async function cpuOf(members: readonly ChildProcess[]): Promise<number> {
  const reports = await Promise.all(
    members.map((member) => ask<MeshReport>(member, { cpu: true } satisfies MeshOrder)),
  );
  return reports.reduce((sum, report) => sum + ('cpu' in report ? report.cpu : 0), 0);
}
