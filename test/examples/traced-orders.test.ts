import { once } from 'node:events';
import { afterEach, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { type Child, killChildren, startChild } from '../support/child.ts';
import { until } from '../support/deadline.ts';

const file = (name: string): URL => new URL(`../../examples/traced-orders/${name}.ts`, import.meta.url);
afterEach(killChildren);

interface Span {
  readonly name: string;
  readonly trace: string;
  readonly span: string;
  readonly above?: string;
}

const spansOf = (child: Child): Span[] =>
  child
    .stdout()
    .split('\n')
    .slice(0, -1)
    .filter((line) => line.startsWith('span '))
    .map((line) => JSON.parse(line.slice('span '.length)) as Span);

it('the example traced-orders: a request, and all that it causes on two nodes, are one trace', async () => {
  const stock = startChild(file('stock'), { args: ['0'] });
  const [, name, watched] = /^(\S+) is listening; watch it on (\S+)$/.exec(await stock.line(/is listening/))!;
  const socket = new WebSocket(watched!);
  await once(socket, 'open');
  const shop = startChild(file('shop'), { args: [name!, '0'] });
  const [address] = /http\S+/.exec(await shop.line(/orders go to/))!;

  const order = async (): Promise<string> => (await fetch(address, { method: 'POST' })).text();
  expect(await order()).toBe('99 left\n');
  // A broadcast stays on its node until the other one has said that it wants the room: a later order reaches it.
  await until('a broadcast of the shop', async () => {
    await order();
    return spansOf(stock).some((span) => span.name === 'process room');
  });
  socket.close();

  const { trace } = spansOf(stock).find((span) => span.name === 'process room')!;
  const line = (last: string): string[] => {
    const spans = [...spansOf(shop), ...spansOf(stock)].filter((span) => span.trace === trace);
    const names: string[] = [];
    for (let span = spans.find((each) => each.name === last); span !== undefined; ) {
      names.push(span.name);
      const { above } = span;
      span = spans.find((each) => each.span === above);
    }
    return names;
  };
  /** From a span up to the request, once all between are over. */
  const up = (last: string): Promise<string[]> =>
    until(`${last} below the request`, () => {
      const names = line(last);
      return names.at(-1) === 'POST /orders' ? names : undefined;
    });
  expect(await up('process room')).toEqual(['process room', 'send room', 'POST /orders']);
  expect(await up('process journal')).toEqual(['process journal', 'send journal', 'POST /orders']);
  expect(await up('look up tea')).toEqual(['look up tea', 'stock/reserve', 'stock/reserve', 'POST /orders']);
  expect((await up('journal/count')).slice(-4)).toEqual(await up('look up tea'));
}, 60_000);
