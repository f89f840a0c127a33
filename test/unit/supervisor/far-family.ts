// What tests of children on another node have in common.
import { defineActor, type Self } from '../../../ts/actor/index.ts';
import { type Probe, startTestRuntime, type TestRuntime } from '../../../ts/testing/index.ts';
import { type Family, family } from './family.ts';
import { FarNode } from './far-node.ts';

export interface FarFamily {
  readonly kit: TestRuntime;
  readonly f: Family;
  readonly far: FarNode;
  readonly probe: Probe;
}

/** A new runtime with a connected node, and a probe. */
export async function farFamily(): Promise<FarFamily> {
  const kit = startTestRuntime();
  return { kit, f: family(kit), far: new FarNode(kit.runtime), probe: await kit.probe() };
}

/** Does nothing until it is ended. */
export const sitter = defineActor('sitter', async (self: Self) => void (await self.receive()));
