// What is kept of nodes that the native core forgets: those that peers announced, and that never connected.
import { expect, it } from 'vitest';
import type { Pid } from '../../../../ts/term/index.ts';
import { NativeEvent } from '../../../../ts/wire/index.ts';
import { until } from '../../../support/deadline.ts';
import { Body } from '../scripted-native.ts';
import { NC, openNetwork as open, PEER } from './scripted-network.ts';

it('P7 keeps of a node that the native core forgets what its PIDs need, and nothing without them', async () => {
  const { native, network } = open();
  const forget = (nc: number): void => {
    native.slotEvent(nc, PEER);
    pids.push(network.pid(nc, 5));
    native.emit(NativeEvent.NODE_FORGOTTEN, 0, new Body().u32(nc));
  };
  const pids: Pid[] = [];
  [NC, NC + 1].forEach(forget);
  native.emit(NativeEvent.NODE_FORGOTTEN, 0, new Body().u32(NC + 2)); // never heard of
  expect(network.identities.size).toBe(2);
  pids.length = 1;
  await until('one of them is collected', () => {
    globalThis.gc?.();
    return network.identities.size === 1;
  });
  expect(network.identities.of(NC)).toBe(pids[0]?.route);
  expect(network.identities.of(NC)?.name).toBe(PEER);
  expect(network.identities.of(NC + 1)).toBeUndefined();
});
