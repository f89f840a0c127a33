import { AssertionError } from 'node:assert';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Down, defineActor, Exit, type Self } from '../../../ts/actor/index.ts';
import { type Probe, startTestRuntime, type TestRuntime, VirtualClock } from '../../../ts/testing/index.ts';
import { killChildren, startChild } from '../../support/child.ts';

let kit: TestRuntime;
let probe: Probe;
beforeEach(async () => {
  kit = startTestRuntime();
  probe = await kit.probe();
});
afterEach(() => kit.stop());
afterAll(killChildren);

const broken = (promise: Promise<unknown>): Promise<AssertionError> =>
  promise.then(
    () => Promise.reject(new Error('expected a failure')),
    (error) => error,
  );

describe('a probe', () => {
  it('records, and takes what was expected off the record', async () => {
    for (const message of [1, 'two', { three: 3 }, 1]) kit.runtime.send(probe.pid, message);
    await probe.expectMessage({ three: 3 });
    await probe.expectMessage(1);
    expect(probe.messages).toEqual(['two', 1]);
    expect(await probe.expectMessage()).toBe('two');
    probe.clear();
    await probe.expectNoMessage();
  });

  it('expects by class, predicate and value', async () => {
    const child = probe.self.spawnLink(async (self: Self) => void (await self.receive()));
    const ref = probe.watch(child);
    kit.runtime.send(probe.pid, [child, ref]);
    kit.runtime.send(child as never, 'end' as never);
    await probe.expectMessage([child, ref]);
    await probe.expectMessage((message) => message instanceof Down && message.ref.equals(ref));
    const exit = await probe.expectMessage(Exit);
    expect(exit.reason).toBe('normal');
  });

  it('expects ends with their reasons', async () => {
    const one = kit.runtime.spawn(async (self: Self) => self.exit({ why: await self.receive() }));
    const ref = probe.watch(one);
    probe.self.link(one);
    kit.runtime.send(one as never, 'x' as never);
    const down = await probe.expectDown(ref, { why: 'x' });
    expect(down).toBeInstanceOf(Down);
    await probe.expectExit(one, { why: 'x' });
    probe.watch('nobody');
    const other = kit.runtime.spawn(() => {});
    probe.watch(other);
    const error = await broken(probe.expectDown(other, 'another reason'));
    expect(error.message).toContain("should have had the reason 'another reason', not 'normal'");
  });

  it('fails with an AssertionError that says what was there instead', async () => {
    kit.runtime.send(probe.pid, { other: true });
    const missing = await broken(probe.expectMessage('wanted'));
    expect(missing).toBeInstanceOf(AssertionError);
    expect(missing.message).toContain("should have received 'wanted', but has [ { other: true } ]");
    expect((await broken(probe.expectNoMessage())).message).toContain('should have received nothing');
    expect((await broken(probe.expectDown(probe.pid))).message).toContain('the end of');
  });

  it('names the last crash in a failure, since the log of a test is not printed', async () => {
    const spec = defineActor('printer', () => Promise.reject(new TypeError('no paper')));
    kit.runtime.spawn(spec);
    for (const expectation of [probe.expectMessage('page'), probe.expectDown(probe.pid)])
      expect((await broken(expectation)).message).toMatch(
        /, but has \[\]; crashes: 1, the last of printer: TypeError: no paper$/,
      );
  });

  it('waits for the outside world when asked to', async () => {
    setTimeout(() => kit.runtime.send(probe.pid, 'from outside'), 20);
    await broken(probe.expectMessage('from outside'));
    await probe.expectMessage('from outside', { patience: 5000 });
  });
});

describe('virtual time', () => {
  it('stands still until it is moved', async () => {
    probe.self.sendAfter(1000, probe.pid, 'tick');
    await kit.settle();
    await probe.expectNoMessage(999);
    expect(kit.clock.now()).toBe(999);
    await kit.advance(1);
    await probe.expectMessage('tick');
  });

  it('fires timers in order, with all that follows from one before the next', async () => {
    const order: string[] = [];
    const chain = defineActor('chain', async (self: Self) => {
      await self.sleep(10);
      order.push(`a ${self.now()}`);
      await self.sleep(10);
      order.push(`b ${self.now()}`);
    });
    kit.runtime.spawn(chain);
    kit.runtime.spawn(async (self: Self) => {
      await self.sleep(15);
      order.push(`c ${self.now()}`);
    });
    await kit.advance(100);
    expect(order).toEqual(['a 10', 'c 15', 'b 20']);
    expect(kit.clock.now()).toBe(100);
  });

  it('passes up to the moment a message is expected within, and no further than needed', async () => {
    probe.self.sendAfter(40, probe.pid, 'early');
    probe.self.sendAfter(90, probe.pid, 'late');
    await probe.expectMessage('early', { within: 100 });
    expect(kit.clock.now()).toBe(40);
    await broken(probe.expectMessage('never', { within: 10 }));
    expect(kit.clock.now()).toBe(50);
    expect(probe.messages).toEqual([]);
  });

  it('makes a day pass at once', async () => {
    const interval = probe.self.sendInterval(60_000, probe.pid, 'tick');
    await kit.advance(86_400_000);
    expect(probe.messages).toHaveLength(1440);
    probe.self.cancelTimer(interval);
    await kit.advance(86_400_000);
    expect(probe.messages).toHaveLength(1440);
  });

  it('is a clock of its own, too', () => {
    const clock = new VirtualClock(5);
    const fired: number[] = [];
    clock.arm(10, () => fired.push(clock.now()));
    const cancelled = clock.arm(5, () => fired.push(-1));
    cancelled.cancel();
    expect(clock.next).toBe(15);
    expect(clock.step(14)).toBe(false);
    expect(clock.now()).toBe(14);
    expect(clock.step(20)).toBe(true);
    expect(fired).toEqual([15]);
    expect(clock.next).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('the kit', () => {
  it('looks into mailboxes', async () => {
    const picky = kit.runtime.spawn(async (self: Self) => void (await self.receive('never')));
    for (const message of ['a', { b: 1 }]) kit.runtime.send(picky as never, message as never);
    await kit.expectMailbox(picky, ['a', { b: 1 }]);
    expect((await broken(kit.expectMailbox(picky, []))).message).toContain('should hold []');
    kit.runtime.sendExit(picky, 'kill');
    await kit.settle();
    expect(kit.mailbox(picky)).toEqual([]);
  });

  it('records logs instead of printing them', async () => {
    kit.runtime.spawn(() => {
      throw new Error('seen');
    });
    await kit.settle();
    expect(kit.logged('actor_crash')).toHaveLength(1);
    expect(kit.logs[0]?.level).toBe('error');
  });

  it('takes names for probes', async () => {
    const named = await kit.probe('named');
    kit.runtime.send('named', 'hello');
    await named.expectMessage('hello');
  });

  it('works under node:test as well', async () => {
    const child = startChild(new URL('./node-test-child.ts', import.meta.url));
    const { code } = await child.exit(20_000);
    expect(code, child.stdout() + child.stderr()).toBe(0);
    expect(child.stdout()).toMatch(/pass 2/);
  }, 30_000);
});
