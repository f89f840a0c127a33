// The mesh of one test, stopped when it is over, and what tests do with it again and again.
import { afterEach } from 'vitest';
import type { GlobalNamesOptions } from '../../../ts/global/index.ts';
import type { Pid } from '../../../ts/term/index.ts';
import { randomFrom } from '../../support/seed.ts';
import { FakeMesh, type FakeNode } from './fake-mesh.ts';

export let mesh: FakeMesh;
afterEach(() => mesh.stop());

/** Nodes that do not know of each other yet; with options, each has global names. */
export function apart(size: number, options?: GlobalNamesOptions): FakeNode[] {
  mesh = new FakeMesh(size, randomFrom(), options);
  return mesh.nodes;
}

/** Nodes that all have global names, and know that of each other. */
export async function joined(size: number, options: GlobalNamesOptions = {}): Promise<FakeNode[]> {
  const nodes = apart(size, options);
  await heal();
  return nodes;
}

/** Delivers everything until a promise is settled. */
export async function after<T>(promise: Promise<T>): Promise<T> {
  await mesh.settle();
  return promise;
}

export async function split(left: readonly FakeNode[], right: readonly FakeNode[]): Promise<void> {
  for (const a of left) for (const b of right) mesh.cut(a, b);
  await mesh.settle();
}

export async function heal(): Promise<void> {
  mesh.connectAll();
  await mesh.settle();
}

/** Who has a name, as each node sees it. */
export const seen = (name: string): (string | undefined)[] => mesh.nodes.map((node) => node.seen(name));

export const alive = (node: FakeNode, pid: Pid<unknown>): boolean => node.runtime.isAlive(pid);
export const kill = (node: FakeNode, pid: Pid<unknown>): void => node.runtime.sendExit(pid, 'kill');
