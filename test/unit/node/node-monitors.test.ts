import { describe, expect, it } from 'vitest';
import { NodeDown, NodeUp } from '../../../ts/actor/index.ts';
import { NodeMonitors } from '../../../ts/node/node-monitors.ts';
import { NodeRecovered, NodeStalled } from '../../../ts/node/stall-messages.ts';
import { Pid, Ref } from '../../../ts/term/index.ts';

const FACTS = { connection: 1, incarnation: 5n, hidden: false };
const [ALICE, BOB] = [new Pid(0, 1), new Pid(0, 2)];

function table() {
  const mail: unknown[][] = [];
  const followed: number[] = [];
  let refs = 0;
  const monitors = new NodeMonitors({
    deliver: (to, notice) => {
      const words =
        notice instanceof NodeUp
          ? 'up'
          : notice instanceof NodeDown
            ? `down ${notice.cause}`
            : notice.constructor.name;
      mail.push([to.local, words, (notice as NodeUp).node]);
    },
    makeRef: (owner) => new Ref(0, owner.local, ++refs),
    follow: (pid) => {
      followed.push(pid.local);
      return () => void followed.splice(followed.indexOf(pid.local), 1);
    },
  });
  return { monitors, mail, followed };
}

describe('node monitors', () => {
  it('L4, L5 are persistent and tell each up and down once per subscription', () => {
    const { monitors, mail } = table();
    monitors.subscribe(ALICE, false);
    monitors.subscribe(ALICE, false);
    const ref = monitors.subscribe(BOB, false);
    monitors.up('n', FACTS);
    monitors.cancel(ref);
    monitors.down('n', 'closed', FACTS);
    expect(mail).toEqual([
      [1, 'up', 'n'],
      [1, 'up', 'n'],
      [2, 'up', 'n'],
      [1, 'down closed', 'n'],
      [1, 'down closed', 'n'],
    ]);
    expect(monitors.cancel(ref)).toBe(false);
  });

  it('L2 tell of hidden nodes only subscribers with `hidden`', () => {
    const { monitors, mail } = table();
    monitors.subscribe(ALICE, false);
    monitors.subscribe(BOB, true);
    monitors.up('n', { ...FACTS, hidden: true });
    monitors.down('n', 'closed', { ...FACTS, hidden: true });
    expect(mail).toEqual([
      [2, 'up', 'n'],
      [2, 'down closed', 'n'],
    ]);
  });

  it('L6 a watch is one notice; two watches are two; one taken back is none', () => {
    const { monitors, mail } = table();
    monitors.watch(ALICE, 'n');
    monitors.watch(ALICE, 'n');
    const third = monitors.watch(ALICE, 'n');
    monitors.watch(BOB, 'other');
    expect(monitors.cancel(third)).toBe(true);
    monitors.down('n', 'timeout', FACTS);
    monitors.down('n', 'timeout', FACTS);
    expect(mail).toEqual([
      [1, 'down timeout', 'n'],
      [1, 'down timeout', 'n'],
    ]);
    monitors.fire('other', 'unreachable');
    expect(mail.at(-1)).toEqual([2, 'down unreachable', 'other']);
    expect(monitors.size).toBe(0);
  });

  it('L13 tell when a node stalls and recovers', () => {
    const { monitors, mail } = table();
    monitors.subscribe(ALICE, false);
    monitors.loop('n', true, { ageMs: 3000, hidden: false });
    monitors.loop('n', false, { ageMs: 0, hidden: false });
    expect(mail).toEqual([
      [1, NodeStalled.name, 'n'],
      [1, NodeRecovered.name, 'n'],
    ]);
  });

  it('L2, L13 tell of the stall of a hidden node only subscribers with `hidden`', () => {
    const { monitors, mail } = table();
    monitors.subscribe(ALICE, false);
    monitors.subscribe(BOB, true);
    monitors.loop('n', true, { ageMs: 3000, hidden: true });
    expect(mail).toEqual([[2, NodeStalled.name, 'n']]);
  });

  it('L6 an actor that watches again and again is followed once', () => {
    const { monitors, followed } = table();
    for (let count = 0; count < 1000; count++) {
      monitors.watch(ALICE, 'n');
      monitors.fire('n', 'closed');
      expect(monitors.cancel(monitors.subscribe(ALICE, false))).toBe(true);
    }
    expect(followed).toEqual([]);
    monitors.watch(ALICE, 'n');
    expect(followed).toEqual([1]);
  });

  it('L8 end with the subscriber, and 65 553 of them work', () => {
    const { monitors, mail, followed } = table();
    for (let count = 0; count < 65_553; count++) monitors.subscribe(count % 2 === 0 ? ALICE : BOB, false);
    monitors.watch(ALICE, 'n');
    monitors.up('n', FACTS);
    expect(mail.length).toBe(65_553);
    expect(followed).toEqual([1, 2]);
    monitors.release(ALICE);
    expect(monitors.size).toBe(32_776);
    monitors.release(BOB);
    monitors.release(BOB);
    expect(monitors.size).toBe(0);
    monitors.down('n', 'closed', FACTS);
    expect(mail.length).toBe(65_553);
  });
});
