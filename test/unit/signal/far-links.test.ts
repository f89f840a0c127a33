// Links and monitors with another node, which is imitated: however one ends, it ends once, and nothing of it is left.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Down, defineActor, Exit, type RemotePort, type Self, SpawnStatus } from '../../../ts/actor/index.ts';
import { cellOf } from '../../../ts/kernel/index.ts';
import { Pid, Ref } from '../../../ts/term/index.ts';
import { type Probe, startTestRuntime, type TestRuntime } from '../../../ts/testing/index.ts';

const PEER = 256;
const NAME = 'peer@host:1';
const far = new Pid(PEER, 7);
const child = defineActor('child', async () => {});
const theirRef = new Ref(PEER, 7, 1);

let kit: TestRuntime;
/** It traps exits. */
let probe: Probe;
let sent: unknown[][];
let unlinkId: number;
beforeEach(async () => {
  kit = startTestRuntime();
  sent = [];
  const port: Partial<RemotePort> = {
    link: () => {},
    unlink: (_from, _to, id) => {
      unlinkId = id;
      sent.push(['unlink']);
    },
    exit: (_from, to, reason) => void sent.push(['exit', to, reason]),
    unlinkAck: (_from, to, id) => void sent.push(['unlinkAck', to, id]),
    monitor: () => {},
    demonitor: (_from, ref, to) => void sent.push(['demonitor', ref, to]),
    monitorExit: (_from, to, ref, reason) => void sent.push(['monitorExit', to, ref, reason]),
  };
  kit.runtime.remote = { ...kit.runtime.remote, ...port };
  probe = await kit.probe();
});
afterEach(() => kit.stop());

const end = (): void => kit.runtime.sendExit(probe.pid as Pid, 'kill');
const lose = (): void => void kit.runtime.losses.begin(PEER, NAME);
const inbound = () => kit.runtime.inbound;
const local = (): number => probe.pid.local;

describe('a link', () => {
  const linked = (): void => probe.self.link(far);
  const unlinked = (): void => {
    probe.self.link(far);
    probe.self.unlink(far);
  };
  const byThem = (): void => inbound().link(far, local());
  const exit = (reason: string): Exit => new Exit(far, reason);

  it.each<[string, () => void, () => void, { got: unknown[]; sent: unknown[][] }]>([
    ['its partner ends', linked, () => inbound().exit(far, local(), 'why'), { got: [exit('why')], sent: [] }],
    [
      'a partner that linked ends',
      byThem,
      () => inbound().exit(far, local(), 'why'),
      { got: [exit('why')], sent: [] },
    ],
    [
      'its partner unlinks',
      linked,
      () => inbound().unlink(far, local(), 3),
      { got: [], sent: [['unlinkAck', far, 3]] },
    ],
    ['its owner ends', linked, end, { got: [], sent: [['exit', far, 'killed']] }],
    ['its node is lost', linked, lose, { got: [exit('noconnection')], sent: [] }],
    [
      'its partner is of an earlier life',
      linked,
      () => inbound().noPartner(far, local()),
      { got: [exit('noproc')], sent: [] },
    ],
    [
      'its unlink is acknowledged',
      unlinked,
      () => inbound().unlinkAck(far, local(), unlinkId),
      { got: [], sent: [['unlink']] },
    ],
    ['its owner ends after an unlink', unlinked, end, { got: [], sent: [['unlink']] }],
    ['its node is lost after an unlink', unlinked, lose, { got: [], sent: [['unlink']] }],
    [
      'its partner is of an earlier life after an unlink',
      unlinked,
      () => inbound().noPartner(far, local()),
      { got: [], sent: [['unlink']] },
    ],
  ])('C3, C12 is gone when %s', async (_how, make, over, expected) => {
    make();
    expect(kit.runtime.links.countOf(PEER)).toBe(1);
    over();
    await kit.settle();
    expect({ got: probe.messages, sent }).toEqual(expected);
    expect(kit.runtime.links.remoteCount).toBe(0);
    expect([...(cellOf(probe.pid as Pid)?.extra?.links ?? [])]).toEqual([]);
    lose();
    await kit.settle();
    expect({ got: probe.messages, sent }).toEqual(expected);
  });

  it('C1 is made once, however often it is asked for', async () => {
    const asked: unknown[] = [];
    kit.runtime.remote.link = (_from, to) => void asked.push(to);
    for (let n = 0; n < 3; n++) linked();
    byThem();
    await kit.settle();
    expect([asked, probe.messages, kit.runtime.links.remoteCount]).toEqual([[far], [], 1]);
  });

  it('C6 brings `kill` as a reason like any other', async () => {
    linked();
    inbound().exit(far, local(), 'kill');
    await kit.settle();
    expect(probe.messages).toEqual([exit('kill')]);
    const other = kit.runtime.spawn(async (self: Self) => {
      self.link(far);
      await self.receive();
    });
    await kit.settle();
    probe.watch(other);
    inbound().exit(far, other.local, 'kill');
    await probe.expectDown(other, 'kill');
  });

  it('C12 is not unlinked twice, nor when there is none', () => {
    probe.self.unlink(far);
    unlinked();
    probe.self.unlink(far);
    expect(sent).toEqual([['unlink']]);
  });

  it('C8 with an actor that has just died gives one exit signal, that of the death', async () => {
    const partner = await kit.probe();
    probe.self.link(partner.pid as Pid);
    // The death is announced after the callbacks, one of which links again.
    cellOf(partner.pid as Pid)?.onDeath(() => probe.self.link(partner.pid as Pid));
    kit.runtime.sendExit(partner.pid as Pid, 'why');
    await kit.settle();
    expect(probe.messages).toEqual([new Exit(partner.pid as Pid, 'why')]);
  });
});

describe('a monitor', () => {
  let ref: Ref;
  const made = (): void => void (ref = probe.self.monitor(far, { alias: 'demonitor' }));

  it.each<[string, () => void, () => { got: unknown[]; sent: unknown[][] }]>([
    [
      'it fires',
      () => inbound().monitorExit({ nc: PEER, name: NAME }, local(), ref, 'why'),
      () => ({ got: [new Down(ref, far, 'why')], sent: [] }),
    ],
    [
      'it is taken back',
      () => void probe.self.demonitor(ref),
      () => ({ got: [], sent: [['demonitor', ref, far]] }),
    ],
    ['its owner ends', end, () => ({ got: [], sent: [['demonitor', ref, far]] })],
    ['its node is lost', lose, () => ({ got: [new Down(ref, far, 'noconnection')], sent: [] })],
  ])('D4, D9, G8 is gone when %s, with its alias', async (_how, over, expected) => {
    made();
    expect(kit.runtime.monitors.remoteCount).toBe(1);
    over();
    await kit.settle();
    expect({ got: probe.messages, sent }).toEqual(expected());
    const { monitors, aliases, deadLetters } = kit.runtime;
    expect([monitors.remoteCount, aliases.size]).toEqual([0, 0]);
    lose();
    inbound().monitorExit(null, local(), ref, 'again');
    await kit.settle();
    expect({ got: probe.messages, sent }).toEqual(expected());
    expect(deadLetters.total).toBe(0);
  });

  it('D10 that was made with a child there fires when the node is lost', async () => {
    kit.runtime.remote.spawn = ({ request }) => {
      queueMicrotask(() => kit.runtime.spawns.replied(local(), request, SpawnStatus.ok, far, null));
    };
    kit.runtime.remote.nodeOf = () => NAME;
    const { pid, ref: made } = await probe.self.spawnOn(NAME, child, [], { monitor: true });
    expect(kit.runtime.monitors.remoteCount).toBe(1);
    lose();
    await kit.settle();
    expect(probe.messages).toEqual([new Down(made as Ref, pid as Pid, 'noconnection')]);
    expect(kit.runtime.monitors.remoteCount).toBe(0);
  });

  it('D4 of an actor here sends nothing to other nodes when it ends', async () => {
    const { pid } = await kit.probe();
    for (const end of [() => probe.self.demonitor(ref), () => kit.runtime.sendExit(pid as Pid, 'kill')]) {
      ref = probe.self.monitor(pid as Pid);
      end();
    }
    await kit.settle();
    expect(sent).toEqual([]);
  });

  it('D8 fires no more once it has ended, and that is no forged answer', async () => {
    made();
    probe.self.demonitor(ref);
    inbound().monitorExit({ nc: PEER, name: NAME }, local(), ref, 'late');
    await kit.settle();
    expect([probe.messages, kit.runtime.deadLetters.counts.unasked]).toEqual([[], 0]);
  });

  it('D10 fires only by the node of its target', async () => {
    made();
    inbound().monitorExit({ nc: PEER + 1, name: 'other@host:1' }, local(), ref, 'forged');
    await kit.settle();
    expect(probe.messages).toEqual([]);
    expect(kit.runtime.deadLetters.counts.unasked).toBe(1);
  });
});

describe('a monitor of another node', () => {
  const watchers = (): number => cellOf(probe.pid as Pid)?.extra?.watchers?.size ?? 0;

  it.each<[string, () => void, unknown[][]]>([
    ['its target ends', end, [['monitorExit', far, theirRef, 'killed']]],
    ['it is taken back', () => kit.runtime.monitors.unwatchedBy(far, theirRef), []],
    ['its node is lost', lose, []],
  ])('D9, D10 is gone when %s', async (_how, over, expected) => {
    inbound().monitor(far, theirRef, local());
    inbound().monitor(far, theirRef, local()); // a peer uses one reference twice
    expect([kit.runtime.monitors.countOf(PEER), watchers()]).toEqual([1, 1]);
    over();
    await kit.settle();
    expect(sent).toEqual(expected);
    expect([kit.runtime.monitors.watcherCount, watchers()]).toEqual([0, 0]);
    end();
    await kit.settle();
    expect(sent).toEqual(expected);
  });
});
