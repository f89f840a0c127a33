// Many actors send to one that receives in random ways - by tags, patterns, references, predicates, several of them - while budgets run
// out and time passes. Whatever it takes, nothing older that fits may be passed over (B5), nothing is lost or doubled (B1), and a
// time-out never hides mail (B7).
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Self, TIMEOUT } from '../../ts/actor/index.ts';
import type { Ref } from '../../ts/term/index.ts';
import { startTestRuntime } from '../../ts/testing/index.ts';
import { checkAsync } from '../support/seed.ts';

/** Of four forms, by its number. Some carry the newest reference that the receiver has made. */
type Message =
  | readonly [tag: string, number: number, ref?: Ref]
  | { readonly type: string; readonly number: number; readonly third: number; readonly ref?: Ref };

const TAGS = ['a', 'b', 'c'] as const;
const tags = fc.uniqueArray(fc.constantFrom(...TAGS), { minLength: 1 });
const pick = fc.record({
  by: fc.constantFrom(
    'any',
    'tags',
    'predicate',
    'pattern',
    'bare',
    'mixed',
    'all',
    'ref',
    'refPattern' as const,
  ),
  tags,
  third: fc.nat({ max: 2 }),
  timeout: fc.option(fc.constantFrom(0, 1, 5), { nil: undefined }),
});
type Pick = typeof pick extends fc.Arbitrary<infer P> ? P : never;

const sender = fc.record({
  sends: fc.array(fc.constantFrom(...TAGS), { minLength: 1, maxLength: 8 }),
  /** How it goes on between two messages. */
  between: fc.constantFrom('at once', 'microtask', 'turn', 'sleep' as const),
});
const senders = fc.array(sender, { minLength: 1, maxLength: 400, size: 'max' });

function messageOf(tag: string, number: number, ref: Ref | undefined): Message {
  const carried = ref === undefined || number % 2 === 0 ? undefined : ref;
  if (number % 4 < 2) return carried === undefined ? [tag, number] : [tag, number, carried];
  const fields = { type: tag, number, third: number % 3 };
  return carried === undefined ? fields : { ...fields, ref: carried };
}

function numberOf(message: Message): number {
  return 'type' in message ? message.number : message[1];
}

/** What a receive that was asked for is expected to take. */
type Fits = (message: Message) => boolean;

/** A receive, and its meaning in the plainest words. */
function receive(self: Self<Message>, one: Pick, ref: Ref): [Promise<unknown>, Fits] {
  const options = one.timeout === undefined ? {} : { timeout: one.timeout };
  const { third } = one;
  const tag = one.tags[0] as string;
  const tagOf = (message: Message): string => ('type' in message ? message.type : message[0]);
  const hasTag: Fits = (message) => one.tags.includes(tagOf(message) as never);
  const hasRef: Fits = (message) => ('type' in message ? message.ref : message[2]) === ref;
  const hasThird: Fits = (message) => 'type' in message && message.third === third;
  switch (one.by) {
    case 'any':
      return [self.receive(undefined, options), () => true];
    case 'tags':
      return [self.receive(one.tags, options), hasTag];
    case 'predicate':
      return [
        self.receive((message: unknown): message is Message => hasTag(message as Message), options),
        hasTag,
      ];
    case 'pattern':
      return [self.receive({ third, type: tag }, options), (each) => hasThird(each) && tagOf(each) === tag];
    case 'bare':
      return [self.receive({ third }, options), hasThird];
    case 'mixed': {
      const [, ...others] = one.tags;
      const match = [{ type: tag, third }, ...others];
      return [
        self.receive(match, options),
        (each) => (hasThird(each) && tagOf(each) === tag) || others.includes(tagOf(each) as never),
      ];
    }
    case 'all': {
      const match = [{ third }, tag, ref, (message: unknown) => numberOf(message as Message) % 7 === 0];
      return [
        self.receive(match, options),
        (each) => hasThird(each) || tagOf(each) === tag || hasRef(each) || numberOf(each) % 7 === 0,
      ];
    }
    case 'ref':
      return [self.receive(ref, options), hasRef];
    case 'refPattern':
      return [self.receive({ ref, third }, options), (each) => hasRef(each) && hasThird(each)];
  }
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
        let newest: Ref | undefined;
        const receiver = kit.runtime.spawn(async (self: Self<Message>) => {
          for (let round = 0; ; round++) {
            const one = picks[round % picks.length] as Pick;
            // Now and then everything, so that what is never picked does not pile up unseen.
            const how: Pick = round % 7 === 6 ? { ...one, by: 'any', timeout: undefined } : one;
            if (newest === undefined || round % 5 === 0) newest = self.makeRef();
            const asked = sent;
            const [pending, fits] = receive(self, how, newest);
            const message = (await pending) as Message | typeof TIMEOUT;
            const oldest = waiting.find(fits);
            if (message === TIMEOUT) {
              if (oldest !== undefined && numberOf(oldest) < asked)
                faults.push(`a time-out of ${how.by} hid ${numberOf(oldest)}`);
              continue;
            }
            received++;
            const number = numberOf(message);
            if (oldest === undefined || numberOf(oldest) !== number)
              faults.push(`${how.by}: ${number} came before ${String(oldest && numberOf(oldest))}`);
            waiting.splice(
              waiting.findIndex((each) => numberOf(each) === number),
              1,
            );
          }
        });
        for (const plan of plans) {
          kit.runtime.spawn(async (self: Self) => {
            for (const tag of plan.sends) {
              const message = messageOf(tag, sent++, newest);
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
