// The log line and the event for an actor that takes its messages more slowly than they come.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { MailboxLimit, Self } from '../../../ts/actor/index.ts';
import { BURST_MS } from '../../../ts/kernel/long-mailboxes.ts';
import { LOG_PAUSE_MS } from '../../../ts/kernel/throttled-log.ts';
import { LONG_MAILBOX } from '../../../ts/mailbox/index.ts';
import type { Pid } from '../../../ts/term/index.ts';
import { startTestRuntime, type TestRuntime } from '../../../ts/testing/index.ts';

const CHANNEL = 'snowmesh:mailbox:long';

let kit: TestRuntime;
let heard: unknown[];
const hear = (message: unknown): void => void heard.push((message as { messages: number }).messages);
beforeEach(() => {
  kit = startTestRuntime();
  heard = [];
  subscribe(CHANNEL, hear);
});
afterEach(() => {
  unsubscribe(CHANNEL, hear);
  kit.stop();
});

/** An actor that takes messages when it is told how many. */
async function hoarder(mailbox?: MailboxLimit): Promise<Pid<unknown>> {
  const pid = kit.runtime.spawnWith(
    { label: 'hoarder', ...(mailbox ? { mailbox } : {}) },
    async (self: Self<unknown>) => {
      for (;;) {
        const { take } = await self.receive(
          (message): message is { take: number } => typeof message === 'object',
        );
        for (let n = 0; n < take; n++) await self.receive((message) => message === 'one');
      }
    },
  );
  await kit.settle();
  return pid;
}

function send(pid: Pid<unknown>, count: number): void {
  for (let n = 0; n < count; n++) kit.runtime.send(pid, 'one');
}

const logged = (): unknown[] =>
  kit.logged('mailbox_long').map(({ facts: { messages, count = 1 } }) => [messages, count]);

it('comes when a mailbox is long, and each time it has doubled', async () => {
  const pid = await hoarder();
  for (let waiting = 0; waiting < 9 * LONG_MAILBOX; waiting += LONG_MAILBOX / 10) {
    send(pid, LONG_MAILBOX / 10);
    await kit.advance(LOG_PAUSE_MS);
  }
  // Each step adds a thousand: the mark is passed within the first segment of the next one.
  expect(heard).toEqual([11_000, 21_000, 41_000, 81_000]);
  expect(logged()).toEqual(heard.map((messages) => [messages, 1]));
  expect(kit.logged('mailbox_long')[0]).toMatchObject({
    level: 'warn',
    facts: { actor: pid.toString(), name: 'hoarder' },
  });
});

it('does not come for a burst that is handled within a second, nor for an actor that has ended', async () => {
  const [pid, mortal] = [await hoarder(), await hoarder()];
  send(pid, 2 * LONG_MAILBOX);
  send(mortal, 2 * LONG_MAILBOX);
  kit.runtime.sendExit(mortal, 'kill');
  kit.runtime.send(pid, { take: 2 * LONG_MAILBOX });
  await kit.advance(10 * BURST_MS);
  expect([heard, logged()]).toEqual([[], []]);
});

it('comes once in ten seconds for a mailbox that grows and shrinks around the mark', async () => {
  const pid = await hoarder();
  send(pid, LONG_MAILBOX - 100);
  for (let second = 0; second < 8; second++) {
    send(pid, 200);
    await kit.advance(BURST_MS);
    kit.runtime.send(pid, { take: 200 });
    await kit.settle();
  }
  expect(logged()).toEqual([[LONG_MAILBOX + 100, 1]]);
  await kit.advance(LOG_PAUSE_MS);
  expect(logged().slice(1)).toEqual([[LONG_MAILBOX + 100, 7]]);
  expect(heard).toHaveLength(8);
});

it('does not come for an actor with a limit of its own', async () => {
  const pid = await hoarder({ max: 10 * LONG_MAILBOX });
  send(pid, 5 * LONG_MAILBOX);
  await kit.advance(BURST_MS);
  expect([heard, logged()]).toEqual([[], []]);
});
