// The way of a signal to another node: the session, the dial that is under way, or a dial of its own; and however the node's name is spelt.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { DEFAULT_PORT } from '../../../ts/node/node-name.ts';
import type { Remote } from '../../../ts/node/remote.ts';
import { Pid, Ref } from '../../../ts/term/index.ts';
import type { TestRuntime } from '../../../ts/testing/index.ts';
import { ConnectStatus, NativeEvent } from '../../../ts/wire/index.ts';
import { openScripted } from './scripted-cluster.ts';
import { Body, type ScriptedNative } from './scripted-native.ts';

const OWN = `a@127.0.0.1:${DEFAULT_PORT}`;
const SHORT = 'b@127.0.0.2';
const PEER = `${SHORT}:${DEFAULT_PORT}`;
const NC = 0x101;
const ME = new Pid(0, 7);
const REF = new Ref(0, 7, 1);
const THEIRS = new Pid(NC, 5);

let kit: TestRuntime;
let native: ScriptedNative;
let remote: Remote;
beforeEach(() => {
  const scripted = openScripted(OWN);
  ({ kit, native } = scripted);
  remote = scripted.cluster.remote;
  native.slotEvent(NC, PEER);
});
afterEach(() => kit.stop());

/** The tags that have left, without those that announce shapes and nodes. */
const tags = (): number[] => {
  remote.flush();
  return native.sent.splice(0).flatMap(({ tag }) => (tag === 0x30 || tag === 0x31 ? [] : [tag]));
};
/** Signals that only an existing connection needs: by PID, reference and name. */
const undo = (): void => {
  remote.demonitor(ME, REF, THEIRS);
  remote.demonitor(ME, REF, { name: 'n', node: PEER });
  remote.demonitor(ME, REF, { name: 'n', node: SHORT });
  remote.unlinkAck(ME, THEIRS, 4);
  remote.reply(ME, new Ref(NC, 5, 9), 0, 1);
};
const UNDONE = [0x17, 0x17, 0x17, 0x33, 0x37];

it('M2 what undoes something waits behind it for the dial that is under way', () => {
  remote.monitor(ME, REF, THEIRS);
  undo();
  expect([native.dials.length, tags()]).toEqual([1, []]);
  native.up(3, NC, PEER);
  native.dialled(1, ConnectStatus.UP);
  expect(tags()).toEqual([0x16, ...UNDONE]);
  undo();
  expect(tags()).toEqual(UNDONE);
});

it('M3 a PID with a number that was forgotten reaches its node, and no later incarnation of it', () => {
  native.emit(NativeEvent.NODE_FORGOTTEN, 0, new Body().u32(NC));
  native.up(3, NC + 256, PEER, BigInt(NC));
  remote.send(ME, THEIRS, 1);
  expect(tags()).toEqual([0x10]);
  native.down(3);
  native.up(4, NC + 512, PEER);
  remote.send(ME, THEIRS, 1);
  expect(tags()).toEqual([]);
});

it('what only an existing connection needs dials no node', () => {
  undo();
  native.down(3);
  undo();
  expect(native.dials).toEqual([]);
});

it.each([SHORT, PEER])('M2 a name leads to the session, or to the one dial, of its node: %s', (spelt) => {
  remote.sendNamed(ME, 'n', spelt, 1);
  remote.sendNamed(ME, 'n', PEER, 2);
  remote.send(ME, THEIRS, 3);
  remote.sendNamed(ME, 'n', spelt, 4);
  expect(native.dials.map(({ name }) => name)).toEqual([PEER]);
  native.up(3, NC, PEER);
  native.dialled(1, ConnectStatus.UP);
  remote.sendNamed(ME, 'n', spelt, 5);
  remote.sendNamed(ME, 'n', PEER, 6);
  expect(tags()).toEqual([0x11, 0x11, 0x10, 0x11, 0x11, 0x11]);
  expect(native.dials).toHaveLength(1);
});

it('knows its own name in each spelling, and dials neither it nor a node without a port', () => {
  const names = ['a@127.0.0.1', OWN, PEER, 'a@127.0.0.1:1', 'no name'];
  expect(names.map((name) => remote.isSelf(name))).toEqual([true, true, false, false, false]);
  for (const name of ['a@127.0.0.1', 'b@127.0.0.2:0', 'no name']) remote.sendNamed(ME, 'n', name, 1);
  expect([native.dials, kit.runtime.deadLetters.counts.noconnection]).toEqual([[], 3]);
});
