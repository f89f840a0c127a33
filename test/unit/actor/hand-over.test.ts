import { expect, it } from 'vitest';
import { handOver, Runtime, silentLogger, takeOver } from '../../../ts/actor/index.ts';
import { LocalNames } from '../../../ts/registry/index.ts';

it('gives what is handed over once, for its ticket only, which is no number that a peer could count up to', () => {
  const runtime = new Runtime({ names: new LocalNames(), logger: silentLogger });
  const thing = () => {};
  const tickets = Array.from({ length: 100 }, () => handOver(runtime, thing).ticket);
  expect(new Set(tickets.map((ticket) => ticket.slice(0, 8))).size).toBe(100);
  for (let guess = 0; guess < 200; guess++) {
    expect(takeOver(runtime, guess)).toBe(guess);
    expect(takeOver(runtime, String(guess))).toBeUndefined();
  }
  const [ticket] = tickets;
  expect(takeOver(runtime, ticket)).toBe(thing);
  expect(takeOver(runtime, ticket)).toBeUndefined();
  runtime.stop();
});
