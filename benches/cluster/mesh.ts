// Nodes that know the address of only one of them connect to all others. Measures the time until every node is connected to every other.
// The nodes are started before, each in its own process, and anew in each round.
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import type { BenchCase, Rivals, Round, Settings } from '../harness.ts';
import { ask, forkMember } from './member-process.ts';

/** Launcher → member. */
export type MeshOrder =
  | { readonly start: { readonly name: string; readonly cookie: string } }
  | { readonly join: { readonly seed: string; readonly size: number } }
  | { readonly cpu: true };
/** Member → launcher. */
export type MeshReport = { readonly up: string } | { readonly joined: number } | { readonly cpu: number };

/** As many processes are started at the same time. */
const BATCH = 4;
/** In quick mode, whatever the size. */
const SMALL = 3;

/** Erlang's script has no mesh of eight. */
const SIZES: readonly (readonly [size: number, rivals: Rivals])[] = [
  [8, {}],
  [16, { erlang: { case: 'mesh_16', metrics: { time: '' } } }],
  [32, { erlang: { case: 'mesh_32', metrics: { time: '' } } }],
];

export const mesh: readonly BenchCase[] = SIZES.map(([size, rivals]) => ({
  name: `cluster/mesh_${size}-nodes`,
  about: `${size - 1} nodes connect to one at the same time; over when each of the ${size} is connected to all.`,
  rivals,
  processes: 1,
  open: (settings: Settings) => ({ round: () => oneRound(settings.quick ? SMALL : size) }),
}));

async function oneRound(size: number): Promise<Round> {
  const cookie = randomBytes(32).toString('base64url');
  const members: ChildProcess[] = [];
  try {
    const seed = await startAll(members, size, cookie);
    const start = performance.now();
    await Promise.all(
      members.map((member) => ask<MeshReport>(member, { join: { seed, size } } satisfies MeshOrder)),
    );
    return { time: { value: performance.now() - start, unit: 'ms' } };
  } finally {
    const gone = members.map((member) => new Promise((resolve) => member.once('exit', resolve)));
    for (const member of members) member.kill('SIGKILL');
    await Promise.all(gone);
  }
}

/** Fills `members`; gives the name of the first. */
export async function startAll(members: ChildProcess[], size: number, cookie: string): Promise<string> {
  const names: string[] = [];
  while (members.length < size) {
    const batch = Array.from({ length: Math.min(BATCH, size - members.length) }, () =>
      forkMember('mesh-member'),
    );
    const orders = batch.map((_, n) => ({ start: { name: `n${members.length + n}`, cookie } }));
    members.push(...batch);
    const reports = await Promise.all(
      batch.map((member, n) => ask<MeshReport>(member, orders[n] as MeshOrder)),
    );
    for (const report of reports) if ('up' in report) names.push(report.up);
  }
  return names[0] as string;
}
