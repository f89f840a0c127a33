import { expect, it } from 'vitest';
import { handOver, Runtime, silentLogger, takeOver } from '../../../ts/actor/index.ts';
import { LocalNames } from '../../../ts/registry/index.ts';
import { Ref } from '../../../ts/term/index.ts';

it('gives what is handed over once, for its ticket only, which no peer can send', () => {
  const runtime = new Runtime({ names: new LocalNames(), logger: silentLogger });
  const thing = () => {};
  const { ticket } = handOver(runtime, thing);
  for (const other of [1, '1', ticket.id, undefined]) expect(takeOver(runtime, other)).toBe(other);
  // What a peer sends is another object, whatever it guesses.
  expect(takeOver(runtime, new Ref(ticket.nc, ticket.local, ticket.id))).toBeUndefined();
  expect(takeOver(runtime, ticket)).toBe(thing);
  expect(takeOver(runtime, ticket)).toBeUndefined();
  const other = handOver(runtime, thing);
  other.withdraw();
  expect(takeOver(runtime, other.ticket)).toBeUndefined();
  runtime.stop();
});
