// Global names: one actor after another gets a name on all nodes, one name is looked up many times, all names are freed.
// The same job as Erlang's `global` does in its script, with as many names and look-ups.
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { type GlobalNames, type Pid, startGlobalNames } from '../../ts/index.ts';
import type { BenchCase, Figure, Round, Running, Settings } from '../harness.ts';
import { type Lab, openLab } from '../lab.ts';
import { ask, dismiss, forkMember } from './member-process.ts';

/** Launcher → member. */
export interface MemberOrder {
  readonly name: string;
  readonly cookie: string;
  readonly peers: readonly string[];
}
/** Member → launcher: it is connected to all peers. */
export interface MemberReport {
  readonly up: string;
}

const SIZES = [2, 4];

export const globalNames: readonly BenchCase[] = SIZES.map((size) => ({
  name: `cluster/global-names_${size}-nodes`,
  about: `500 global names on ${size} nodes, registered one after another; look-ups of one; then freed one after another.`,
  rivals: {
    erlang: {
      case: `global_${size}_nodes`,
      metrics: { register: '.register', unregister: '.unregister', whereis: '.whereis' },
    },
  },
  open: (settings) => openGlobalNames(size, settings),
}));

async function openGlobalNames(size: number, settings: Settings): Promise<Running> {
  const cookie = randomBytes(32).toString('base64url');
  const lab = await openLab({ name: 'n0@127.0.0.1:0', cookie });
  const names = startGlobalNames(lab);
  const children: ChildProcess[] = [];
  const peers = [lab.name];
  for (let number = 1; number < size; number++) {
    const child = forkMember('global-member');
    const { up } = await ask<MemberReport>(child, {
      name: `n${number}`,
      cookie,
      peers,
    } satisfies MemberOrder);
    children.push(child);
    peers.push(up);
  }
  const count = settings.quick ? 20 : 500;
  const lookups = settings.quick ? 1000 : 200_000;
  let rounds = 0;
  return {
    round: () => oneRound(lab, names, rounds++, count, lookups),
    stop: () => dismiss(children, () => lab.stop()),
  };
}

async function oneRound(
  lab: Lab,
  names: GlobalNames,
  round: number,
  count: number,
  lookups: number,
): Promise<Round> {
  const actors = Array.from({ length: count }, (_, number) => ({
    name: `bench ${round} ${number}`,
    pid: lab.spawnHandler(() => ({ onMessage() {} })) as Pid<unknown>,
  }));
  const register = await rateOf(count, async () => {
    for (const { name, pid } of actors) if (!(await names.register(name, pid))) throw new Error('taken');
  });
  const whereis = await rateOf(lookups, () => lookUp(names, actors[0]?.name ?? '', lookups));
  const unregister = await rateOf(count, async () => {
    for (const { name } of actors) if (!(await names.unregister(name))) throw new Error('unknown');
  });
  const pipelined = await rateOf(count, async () => {
    const answers = await Promise.all(actors.map(({ name, pid }) => names.register(name, pid)));
    if (answers.includes(false)) throw new Error('taken');
  });
  for (const { pid } of actors) lab.sendExit(pid, 'kill');
  return {
    register: { value: register, unit: 'op/s' },
    unregister: { value: unregister, unit: 'op/s' },
    whereis: { value: whereis, unit: 'lookup/s' },
    pipelined: { value: pipelined, unit: 'op/s' },
  } satisfies Record<string, Figure>;
}

function lookUp(names: GlobalNames, name: string, count: number): void {
  const pid = names.whereis(name);
  for (let n = 0; n < count; n++) if (names.whereis(name) !== pid) throw new Error('it moved');
}

async function rateOf(count: number, job: () => Promise<void> | void): Promise<number> {
  const start = performance.now();
  await job();
  return (count * 1000) / (performance.now() - start);
}
