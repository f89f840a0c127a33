import { expect, it } from 'vitest';
import { mailboxMemory } from '../../../ts/introspect/mailbox-memory.ts';

const weigh = (...messages: unknown[]): number =>
  mailboxMemory(Object.assign(messages, { size: messages.length }), () => false);

it('looks at the keys of a message once, however often it is asked', () => {
  let looks = 0;
  const message = new Proxy({ a: 'x'.repeat(1000), b: 1 } as object, {
    ownKeys: (target) => {
      looks++;
      return Reflect.ownKeys(target);
    },
  });
  const bytes = weigh(message);
  expect(bytes).toBeGreaterThan(1000);
  for (let count = 0; count < 100; count++) expect(weigh(message)).toBe(bytes);
  expect(looks).toBe(1);
});

it('looks at the first entries of a long list', () => {
  let looks = 0;
  const list = new Proxy(
    Array.from({ length: 100_000 }, () => 0),
    {
      get: (target, key, receiver) => {
        looks++;
        return Reflect.get(target, key, receiver) as unknown;
      },
    },
  );
  expect(weigh(list)).toBeGreaterThan(100_000);
  expect(looks).toBeLessThan(1000);
});

it('looks at four messages of a mailbox, and takes the others to be like them', () => {
  let looks = 0;
  const mailbox = {
    size: 1000,
    *[Symbol.iterator]() {
      for (;;) {
        looks++;
        yield looks % 2 === 0 ? 'x'.repeat(100) : '';
      }
    },
  };
  expect(mailboxMemory(mailbox, () => false)).toBe(1000 * (24 + 50));
  expect(looks).toBe(4);
});
