// What one node may make others remember of groups: beyond the limits it is ignored there, and its own joins are refused.
import { beforeEach, expect, it, vi } from 'vitest';
import { Pid } from '../../../ts/term/index.ts';
import { TestRuntime } from '../../../ts/testing/index.ts';
import { type Alone, alone } from './alone.ts';

vi.mock('../../../ts/groups/limits.ts', async (original) => ({
  ...(await original<object>()),
  MAX_GROUPS_PER_NODE: 2,
}));

let kit: TestRuntime;
let stage: Alone;
beforeEach(() => {
  kit = new TestRuntime();
  stage = alone(kit.runtime);
});

it('P7 a peer can have members in a limited number of groups, and one that is empty frees a place', () => {
  const { groups, say } = stage;
  const pid = new Pid(256, 5);
  const join = (...names: string[]): void => say(['join', names.map((name) => [name, [pid]])]);
  join('a', 'b', 'c');
  expect(groups.which()).toEqual(['a', 'b']);
  join('a');
  expect(groups.members('a')).toHaveLength(2);
  say(['leave', [['b', [pid]]]]);
  join('c');
  expect(groups.which()).toEqual(['a', 'c']);
});

it('P7 a node refuses to have members in more groups than its peers take', () => {
  const { groups } = stage;
  const pid = kit.runtime.spawn(async (self) => void (await self.receive()));
  groups.join('a', pid);
  groups.join('b', pid);
  expect(() => groups.join('c', pid)).toThrow(expect.objectContaining({ code: 'SNOW_ERR_TOO_MANY_MEMBERS' }));
  groups.join('b', pid);
  groups.leave('a', pid);
  groups.join('c', pid);
  expect(groups.whichLocal()).toEqual(['b', 'c']);
});
