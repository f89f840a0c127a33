// Links to an actor of an earlier incarnation of a node: nobody will ever acknowledge an unlink there.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Exit, type Self } from '../../../ts/actor/index.ts';
import { Pid } from '../../../ts/term/index.ts';
import type { TestRuntime } from '../../../ts/testing/index.ts';
import { openScripted } from './scripted-cluster.ts';
import type { ScriptedNative } from './scripted-native.ts';

const OWN = 'a@127.0.0.1:4000';
const PEER = 'b@127.0.0.1:4001';
const FORMER = 0x101;
const LATTER = 0x102;
const LIMITS = { highWater: 1000, limit: 5000, waiting: 4000, maxMessage: 2 ** 24 };

let kit: TestRuntime;
let native: ScriptedNative;
let self: Self<unknown>;
let told: unknown[];
const stale = new Pid(FORMER, 5);

beforeEach(async () => {
  const opened = openScripted(OWN, { limits: LIMITS });
  ({ kit, native } = opened);
  expect(opened.cluster.isOpen).toBe(true);
  native.slotEvent(FORMER, PEER);
  told = [];
  kit.runtime.spawnHandler((own: Self<unknown>) => {
    own.trapExit(true);
    self = own;
    return { onMessage: (message) => void told.push(message) };
  });
  await kit.settle();
});
afterEach(() => kit.stop());

it.each(['at once', 'when it comes'])(
  'C10, C13 link, unlink, link: one noproc, known %s, and no link stays',
  async (when) => {
    if (when === 'at once') native.up(3, LATTER, PEER);
    self.link(stale);
    self.unlink(stale);
    self.link(stale);
    if (when !== 'at once') native.up(3, LATTER, PEER);
    await kit.settle();
    expect(told).toEqual([expect.any(Exit)]);
    expect(told[0]).toMatchObject({ from: stale, reason: 'noproc' });
    expect(kit.runtime.links.remoteCount).toBe(0);
  },
);

it.each(['at once', 'when it comes'])(
  'C12 link, unlink: nothing is heard, known %s, and no link stays',
  async (when) => {
    if (when === 'at once') native.up(3, LATTER, PEER);
    self.link(stale);
    self.unlink(stale);
    if (when !== 'at once') native.up(3, LATTER, PEER);
    await kit.settle();
    expect(told).toEqual([]);
    expect(kit.runtime.links.remoteCount).toBe(0);
    self.link(stale);
    await kit.settle();
    expect(told).toEqual([expect.any(Exit)]);
  },
);
