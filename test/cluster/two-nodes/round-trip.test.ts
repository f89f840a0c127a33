// B11: whatever may travel comes back exactly, from another operating-system process.

import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Cluster, type ClusterNode } from '../../support/cluster.ts';
import { checkAsync } from '../../support/seed.ts';

const cluster = new Cluster('full');
let a: ClusterNode;
let b: ClusterNode;
beforeAll(async () => {
  [a, b] = (await cluster.nodes({ name: 'a' }, { name: 'b' })) as [ClusterNode, ClusterNode];
  await b.run((bench) => void bench.echo());
  await a.run(async (bench) => void (bench.box['probe'] = await bench.probe()));
});
afterAll(() => cluster.stop());

/** Sends values through b and gives what came back. They reach process a by structured clone, which is exact, too. */
const echo = (values: unknown[]): Promise<unknown[]> =>
  a.run(
    async (bench, peer, all) => {
      const { box, node } = bench;
      const before = box['probe'].messages.length;
      for (const value of all) node.send({ name: 'echo', node: peer }, [box['probe'].pid, value]);
      const answers = await box['probe'].count(before + all.length);
      return answers.slice(before).map((answer: unknown[]) => answer[1]);
    },
    b.name,
    values,
  );

describe('B11 the round trip', () => {
  it('keeps numbers bit for bit', async () => {
    const numbers = [
      0,
      -0,
      1,
      -1,
      63,
      64,
      127,
      128,
      -128,
      -129,
      32767,
      32768,
      -32769,
      2 ** 31 - 1,
      2 ** 31,
      -(2 ** 31),
      2 ** 32,
    ];
    const edges = [
      2 ** 53 - 1,
      2 ** 53,
      2 ** 53 + 2,
      -(2 ** 53),
      0.1,
      Number.MIN_VALUE,
      Number.MAX_VALUE,
      Number.EPSILON,
    ];
    const odd = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    const values = [...numbers, ...edges, ...odd];
    const back = await echo(values);
    expect(back.length).toBe(values.length);
    for (let index = 0; index < values.length; index++)
      expect(Object.is(back[index], values[index]), String(values[index])).toBe(true);
  });

  it('keeps bigints of any size apart from numbers', async () => {
    const values = [
      0n,
      1n,
      -1n,
      2n ** 53n + 1n,
      2n ** 63n,
      -(2n ** 63n),
      2n ** 64n,
      12345678901234567890123456789n,
      -(7n ** 500n),
    ];
    expect(await echo(values)).toEqual(values);
  });

  it('keeps empty things, nothing and undefined apart', async () => {
    const values = [
      [],
      '',
      {},
      null,
      undefined,
      false,
      new Uint8Array(0),
      new Map(),
      new Set(),
      [undefined],
      [null],
      { a: undefined },
      [[]],
    ];
    const back = await echo(values);
    expect(back).toStrictEqual(values);
  });

  it('keeps text of every plane, and long text', async () => {
    const values = [
      'ä',
      '€',
      '😀',
      '\0',
      'é\u0301',
      'x'.repeat(31),
      'x'.repeat(32),
      'ü'.repeat(16),
      'ü'.repeat(300),
      '字'.repeat(70_000),
    ];
    expect(await echo(values)).toEqual(values);
  });

  it('keeps collections, dates, views and errors', async () => {
    const values = [
      new Map<unknown, unknown>([
        ['a', 1],
        [2, [3]],
        [null, new Map()],
      ]),
      new Set<unknown>([1, 'b', null]),
      new Date(0),
      new Date(8.64e15),
      new Date(Number.NaN),
      new Uint8Array([0, 255]),
      new Int16Array([-1, 2]),
      new Float64Array([0.5, -0]),
      new BigUint64Array([2n ** 64n - 1n]),
      new Uint8Array([1, 2, 3]).buffer,
      { deep: { deeper: { list: [1, { x: new Map([[1, { y: 2 }]]) }] } } },
    ];
    expect(await echo(values)).toStrictEqual(values);
  });

  it('keeps what an error says', async () => {
    // Structured clone, which brings values to this process, drops the code of an error: it is looked at over there.
    const seen = await a.run(async (bench, peer) => {
      const { box, node } = bench;
      const before = box['probe'].messages.length;
      node.send({ name: 'echo', node: peer }, [
        box['probe'].pid,
        Object.assign(new RangeError('out'), { code: 'E_OUT' }),
      ]);
      const back = (await box['probe'].count(before + 1))[before][1];
      return [back instanceof RangeError, back.name, back.message, back.code];
    }, b.name);
    expect(seen).toEqual([true, 'RangeError', 'out', 'E_OUT']);
  });

  it('keeps binaries of 0 bytes to 64 MiB', async () => {
    const sizes = [0, 1, 255, 256, 65_535, 131_060, 131_072, 131_073, 1_000_000, 64 * 1024 * 1024];
    const sums = await a.runFor(
      60_000,
      async (bench, peer, all) => {
        const { box, node } = bench;
        const results: boolean[] = [];
        for (const size of all) {
          const bytes = new Uint8Array(size);
          for (let index = 0; index < size; index += 997) bytes[index] = index;
          const before = box['probe'].messages.length;
          node.send({ name: 'echo', node: peer }, [box['probe'].pid, bytes]);
          const answer = (await box['probe'].count(before + 1, 60_000))[before][1];
          results.push(answer instanceof Uint8Array && Buffer.compare(answer, bytes) === 0);
        }
        return results;
      },
      b.name,
      sizes,
    );
    expect(sums).toEqual(sizes.map(() => true));
  });

  it('B12 makes a key like __proto__ an own property and alters no prototype', async () => {
    const seen = await a.run(async (bench, peer) => {
      const { box, node } = bench;
      const before = box['probe'].messages.length;
      node.send({ name: 'echo', node: peer }, [
        box['probe'].pid,
        JSON.parse('{"__proto__": {"polluted": true}, "constructor": 1}'),
      ]);
      const back = (await box['probe'].count(before + 1))[before][1];
      return {
        keys: Object.keys(back),
        own: Object.hasOwn(back, '__proto__'),
        plain: Object.getPrototypeOf(back) === Object.prototype,
        polluted: 'polluted' in {} || 'polluted' in back,
      };
    }, b.name);
    expect(seen).toEqual({ keys: ['__proto__', 'constructor'], own: true, plain: true, polluted: false });
  });

  it('B8 sends the value of the moment', async () => {
    const back = await a.run(async (bench, peer) => {
      const { box, node } = bench;
      const before = box['probe'].messages.length;
      const message = { list: [1, 2], bytes: new Uint8Array([1]) };
      node.send({ name: 'echo', node: peer }, [box['probe'].pid, message]);
      message.list.push(3);
      message.bytes[0] = 9;
      return (await box['probe'].count(before + 1))[before][1];
    }, b.name);
    expect(back).toEqual({ list: [1, 2], bytes: new Uint8Array([1]) });
  });

  it('M6 brings our own PIDs and references back as themselves', async () => {
    const seen = await a.run(async (bench, peer) => {
      const { box, node } = bench;
      const { pid, self } = box['probe'];
      const ref = self.makeRef();
      const before = box['probe'].messages.length;
      node.send({ name: 'echo', node: peer }, [pid, [pid, ref, new Map([[pid, { pid }]])]]);
      const back = (await box['probe'].count(before + 1))[before][1];
      const [[key, value]] = [...back[2]];
      return {
        same: back[0] === pid,
        equal: back[0].equals(pid) && pid.equals(back[0]),
        key: back[0].key === pid.key,
        text: String(back[0]) === String(pid),
        ref: back[1].equals(ref) && back[1].key === ref.key,
        nested: key === pid && value.pid === pid,
        local: back[0].isLocal && node.nodeOf(back[0]) === node.name,
      };
    }, b.name);
    expect(seen).toEqual({
      same: true,
      equal: true,
      key: true,
      text: true,
      ref: true,
      nested: true,
      local: true,
    });
  });

  it('keeps any plain value (property)', async () => {
    const value = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withTypedArray: true,
      withNullPrototype: false,
      maxDepth: 4,
      key: fc.string({ unit: 'binary' }),
    });
    await checkAsync(
      fc.asyncProperty(fc.array(value, { minLength: 1, maxLength: 30 }), async (values) => {
        expect(await echo(values)).toStrictEqual(values);
      }),
      { numRuns: 40 },
    );
  });
});
