// An actor may end with a reason that is too large or too deep for the way to another node. The news must come all the same,
// there and here (A4, E7, P8).
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ExitReason, type RemotePort, ReplyStatus, type Self } from '../../../ts/actor/index.ts';
import { SnowmeshError } from '../../../ts/errors/index.ts';
import { Pid, Ref } from '../../../ts/term/index.ts';
import { startTestRuntime, type TestRuntime } from '../../../ts/testing/index.ts';

const PEER = 256;
const far = new Pid(PEER, 7);

let kit: TestRuntime;
let heard: unknown[];
beforeEach(() => {
  kit = startTestRuntime();
  heard = [];
  // A way that takes no long strings.
  const carry = (what: string, reason: ExitReason): void => {
    if (JSON.stringify(reason).length > 1000) throw new SnowmeshError('SNOW_ERR_TOO_LARGE');
    heard.push([what, reason]);
  };
  const port: Partial<RemotePort> = {
    exit: (_from, _to, reason) => carry('exit', reason),
    exit2: (_from, _to, reason) => carry('signal', reason),
    monitorExit: (_from, _to, _ref, reason) => carry('down', reason),
    reply: (_from, _ref, status, value) => carry(status === ReplyStatus.exit ? 'reply' : 'other', value),
  };
  kit.runtime.remote = { ...kit.runtime.remote, ...port };
});
afterEach(() => kit.stop());

describe('a reason that cannot travel', () => {
  it('P8 is replaced for links, monitors and calls from afar, and stays whole here', async () => {
    const { inbound } = kit.runtime;
    const probe = await kit.probe();
    const victim = kit.runtime.spawn(async (self: Self) => void (await self.receive('never')));
    await kit.settle();
    probe.self.link(victim);
    probe.watch(victim);
    inbound.link(far, victim.local);
    inbound.monitor(far, new Ref(PEER, 7, 1), victim.local);
    inbound.call(far, new Ref(PEER, 7, 2), 1000, victim.local, ['ask', [], []]);
    const reason = 'x'.repeat(10_000);
    probe.self.sendExit(victim, reason);
    await probe.expectExit(victim, reason);
    await probe.expectDown(victim, reason);
    const unsendable = { unsendable: 'SNOW_ERR_TOO_LARGE' };
    expect(heard).toEqual([
      ['exit', unsendable],
      ['down', unsendable],
      ['reply', unsendable],
    ]);
  });

  it('P8 is replaced in an exit signal to afar, which is sent all the same', async () => {
    const probe = await kit.probe();
    probe.self.sendExit(far, 'x'.repeat(10_000));
    kit.runtime.sendExit(far, 'x'.repeat(10_000));
    probe.self.sendExit(far, 'short');
    const unsendable = { unsendable: 'SNOW_ERR_TOO_LARGE' };
    expect(heard).toEqual([
      ['signal', unsendable],
      ['signal', unsendable],
      ['signal', 'short'],
    ]);
  });

  it('P8 travels whole when it can', async () => {
    const pid = kit.runtime.spawn((self: Self) => self.exit({ shutdown: 'why' }));
    kit.runtime.inbound.link(far, pid.local);
    await kit.settle();
    expect(heard).toEqual([['exit', { shutdown: 'why' }]]);
  });

  it('A3 cannot come about by throwing something deep', async () => {
    const probe = await kit.probe();
    let deep: unknown[] = [];
    for (let depth = 1; depth < 128; depth++) deep = [deep];
    const { pid } = probe.self.spawnMonitor(() => {
      throw deep;
    });
    const { reason } = await probe.expectDown(pid);
    // It can be sent on as a reason; it was one level too deep with its stack around it.
    expect(() => probe.self.sendExit(probe.pid, reason)).not.toThrow();
    expect(reason).toMatchObject({ nocatch: expect.any(String) as string });
  });
});
