// Log lines that peers and strangers cause: the first of a kind is written at once, the others as one line in ten seconds.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { LOG_PAUSE_MS } from '../../../ts/node/calm-log.ts';
import type { Cluster } from '../../../ts/node/cluster.ts';
import type { TestRuntime } from '../../../ts/testing/index.ts';
import { ConnectStatus, DownCause, FrameTag, NativeEvent } from '../../../ts/wire/index.ts';
import { openScripted } from './scripted-cluster.ts';
import { Body, type ScriptedNative } from './scripted-native.ts';

const PEER = 'x@127.0.0.1:4001';
const NC = 0x101;
const TIMES = 30;

let kit: TestRuntime;
let native: ScriptedNative;
let cluster: Cluster;
beforeEach(() => {
  ({ kit, native, cluster } = openScripted('me@127.0.0.1:4000', { mesh: 'full' }));
});
afterEach(async () => {
  kit.stop();
  await cluster.close();
});

it.each<[string, string, () => Promise<void> | void]>([
  [
    'a list of nodes where others answer',
    'could not connect',
    async () => {
      native.up(1, NC, PEER);
      const list = new Body().u16(TIMES);
      for (let number = 0; number < TIMES; number++) list.name(`n${number}@127.0.0.1:4002`);
      native.emit(FrameTag.PEER_LIST, 1, list);
      for (let answered = 0; answered < TIMES; answered++) {
        await kit.settle();
        native.dialled(native.dials[answered]!.request, ConnectStatus.WRONG_NAME);
      }
    },
  ],
  [
    'sessions that break the protocol',
    'a peer broke the protocol',
    () => {
      for (let time = 0; time < TIMES; time++) {
        native.up(1, NC, PEER);
        native.down(1, DownCause.PROTOCOL);
      }
    },
  ],
  [
    'proofs that are wrong',
    'refused a peer',
    () => {
      const refused = (): Body => new Body().name(PEER).name('a wrong proof').u8(ConnectStatus.AUTH).u32(0);
      for (let time = 0; time < TIMES; time++) native.emit(NativeEvent.REFUSED, 0, refused());
    },
  ],
])('%s are one line now, and one later with their number', async (_what, text, cause) => {
  const lines = (): unknown[] =>
    kit.logs.filter(({ message }) => message === text).map(({ level, facts }) => [level, facts['count']]);
  await cause();
  await kit.settle();
  const [[level]] = lines() as [[string]];
  expect(lines()).toEqual([[level, undefined]]);
  await kit.advance(LOG_PAUSE_MS);
  expect(lines()).toEqual([
    [level, undefined],
    [level, TIMES - 1],
  ]);
});
