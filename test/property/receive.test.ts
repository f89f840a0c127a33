// Many actors send to one that receives in random ways, while budgets run out and time passes. Whatever it takes, nothing
// older that fits may be passed over (B5), nothing is lost or doubled (B1), and a time-out never hides mail (B7).
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Self, TIMEOUT } from '../../ts/actor/index.ts';
import { startTestRuntime } from '../../ts/testing/index.ts';
import { checkAsync } from '../support/seed.ts';

type Message = readonly [tag: string, number: number];

const TAGS = ['a', 'b', 'c'] as const;
const tags = fc.uniqueArray(fc.constantFrom(...TAGS), { minLength: 1 });
const pick = fc.record({
  by: fc.constantFrom('any', 'tags', 'predicate' as const),
  tags,
  timeout: fc.option(fc.constantFrom(0, 1, 5), { nil: undefined }),
});
type Pick = typeof pick extends fc.Arbitrary<infer P> ? P : never;

const sender = fc.record({
  sends: fc.array(fc.constantFrom(...TAGS), { minLength: 1, maxLength: 8 }),
  /** How it goes on between two messages. */
  between: fc.constantFrom('at once', 'microtask', 'turn', 'sleep' as const),
});
const senders = fc.array(sender, { minLength: 1, maxLength: 400, size: 'max' });

const fits = (one: Pick, [tag]: Message): boolean => one.by === 'any' || one.tags.includes(tag as never);

function receive(self: Self<Message>, one: Pick): Promise<Message | typeof TIMEOUT> {
  const options = one.timeout === undefined ? {} : { timeout: one.timeout };
  if (one.by === 'any') return self.receive(undefined, options) as Promise<Message | typeof TIMEOUT>;
  if (one.by === 'tags') return self.receive<Message>(one.tags, options);
  return self.receive((message: unknown): message is Message => fits(one, message as Message), options);
}

describe('receiving', () => {
  it('B1 B5 B7 passes over nothing that fits, loses nothing and doubles nothing', async () => {
    await checkAsync(
      fc.asyncProperty(senders, fc.array(pick, { minLength: 1, maxLength: 20 }), async (plans, picks) => {
        await using kit = startTestRuntime();
        const waiting: Message[] = [];
        const faults: string[] = [];
        let sent = 0;
        let received = 0;
        const receiver = kit.runtime.spawn(async (self: Self<Message>) => {
          for (let round = 0; ; round++) {
            const one = picks[round % picks.length] as Pick;
            // Now and then everything, so that what is never picked does not pile up unseen.
            const how: Pick = round % 7 === 6 ? { by: 'any', tags: [], timeout: undefined } : one;
            const asked = sent;
            const message = await receive(self, how);
            const oldest = waiting.findIndex((each) => fits(how, each));
            if (message === TIMEOUT) {
              const missed = waiting[oldest];
              if (missed !== undefined && missed[1] < asked) faults.push(`a time-out hid ${missed.join()}`);
              continue;
            }
            received++;
            if (waiting[oldest]?.[1] !== message[1]) {
              faults.push(`${message.join()} came before ${String(waiting[oldest])}`);
            }
            waiting.splice(
              waiting.findIndex((each) => each[1] === message[1]),
              1,
            );
          }
        });
        for (const plan of plans) {
          kit.runtime.spawn(async (self: Self) => {
            for (const tag of plan.sends) {
              const message: Message = [tag, sent++];
              waiting.push(message);
              self.send(receiver, message);
              if (plan.between === 'microtask') await Promise.resolve();
              if (plan.between === 'turn') await self.receive('never', { timeout: 0 });
              if (plan.between === 'sleep') await self.sleep(1);
            }
          });
        }
        await kit.advance(50);
        expect(faults).toEqual([]);
        expect(received + kit.mailbox(receiver).length).toBe(sent);
        expect(waiting).toEqual(kit.mailbox(receiver));
      }),
      { numRuns: 60 },
    );
  });
});
