// What each kind of address leads to, and what is no address.
import { describe, expect, it } from 'vitest';
import { defineServer } from '../../../ts/behaviour/index.ts';
import { Pid, Ref } from '../../../ts/term/index.ts';
import { kit, probe } from '../../support/kit.ts';

it('a message to another node has its sender, or none if code outside of actors sends it', () => {
  const sent: unknown[][] = [];
  const { remote } = kit.runtime;
  remote.send = (...signal) => sent.push(['send', ...signal]);
  remote.sendAlias = (...signal) => sent.push(['sendAlias', ...signal]);
  remote.sendNamed = (...signal) => sent.push(['sendNamed', ...signal]);
  const [pid, alias, named] = [new Pid(0x101, 5), new Ref(0x101, 5, 9), { name: 'x', node: 'far@host' }];
  for (const send of [probe.self.send.bind(probe.self), kit.runtime.send.bind(kit.runtime)])
    for (const to of [pid, alias, named]) send(to as Pid<unknown>, 'hello');
  const signals = [probe.pid, null].flatMap((from) => [
    ['send', from, pid, 'hello'],
    ['sendAlias', from, alias, 'hello'],
    ['sendNamed', from, 'x', 'far@host', 'hello'],
  ]);
  expect(sent).toEqual(signals);
  expect(kit.runtime.deadLetters.total).toBe(0);
});

it('a message for many counts as lost for each that is dead', async () => {
  const dead = kit.runtime.spawn(() => {});
  await kit.settle();
  const lost: unknown[] = [];
  kit.runtime.deadLetters.subscribe((...letter) => lost.push(letter));
  kit.runtime.sender.fanOut([probe.pid as Pid, dead as Pid], { a: 1 }, false);
  await probe.expectMessage({ a: 1 });
  expect(lost).toEqual([['noproc', String(dead), 1]]);
});

describe('no address', () => {
  const server = defineServer({ name: 'server', init: () => 0 });

  it.each([
    ['a definition', server, /definition, not an actor: start it/],
    ['a promise', Promise.resolve(), /not a promise \(did you forget await\?\)/],
    ['a name without a node', { name: 'x' }, /^(?!.*(definition|promise))/],
    ['a node without a name', { node: 'far@host' }, /^(?!.*(definition|promise))/],
    ['nothing', null, /^(?!.*(definition|promise))/],
  ])('is %s', (_what, to, words) => {
    const { self } = probe;
    for (const use of [
      () => self.send(to as never, 'x'),
      () => kit.runtime.send(to as never, 'x'),
      () => self.sendAfter(1, to as never, 'x'),
    ])
      expect(use).toThrow(
        expect.objectContaining({ code: 'SNOW_ERR_BAD_DEST', message: expect.stringMatching(words) }),
      );
  });

  it('is a definition to monitor', () => {
    expect(() => probe.self.monitor(server as never)).toThrow(/definition, not an actor: start it/);
    for (const to of [{ name: 'x' }, { node: 'far@host' }])
      expect(() => probe.self.monitor(to as never)).toThrow('a PID, a local name or { name, node }, not');
  });
});
