// Values that travel, and values that do not: copying and encoding must agree on all of them (B9).
import { Pid, Ref, struct } from '../../../ts/term/index.ts';

class Point {
  x = 1;
}

class CustomError extends TypeError {
  override name = 'CustomError';
  readonly status = 7;
}

const nested = (depth: number): unknown => {
  let value: unknown = 1;
  for (let level = 0; level < depth; level++) value = level % 2 === 0 ? [value] : { inside: value };
  return value;
};

const withOwnProto = (): object =>
  JSON.parse('{"__proto__":{"polluted":true},"constructor":1,"toString":2}') as object;

export const sendable: readonly (readonly [name: string, make: () => unknown])[] = [
  ['undefined', () => undefined],
  ['null', () => null],
  ['booleans', () => [true, false]],
  ['zeros', () => [0, -0]],
  ['odd numbers', () => [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 5e-324, 1.797e308]],
  [
    'the edges of ints',
    () => [63, 64, 127, 128, -128, -129, 32767, 32768, -32768, -32769, 2 ** 31 - 1, -(2 ** 31)],
  ],
  ['ints beyond 32 bits', () => [2 ** 31, -(2 ** 31) - 1, 2 ** 53 - 1, 2 ** 53, 2 ** 53 + 2, -(2 ** 53)]],
  ['bigints', () => [0n, 1n, -1n, 255n, 256n, -(2n ** 63n), 2n ** 64n, 2n ** 200n, -(2n ** 200n) + 1n]],
  ['empty things', () => ['', [], {}, new Map(), new Set(), new Uint8Array(0)]],
  ['ASCII of every length', () => Array.from({ length: 300 }, (_, length) => 'x'.repeat(length))],
  ['two-byte text of every length', () => Array.from({ length: 140 }, (_, length) => 'é'.repeat(length))],
  ['three-byte text of every length', () => Array.from({ length: 100 }, (_, length) => '世'.repeat(length))],
  ['four-byte text of every length', () => Array.from({ length: 80 }, (_, length) => '😀'.repeat(length))],
  ['mixed text', () => `a${'é'}b${'世'}c😀${'\0'}${'\u2028'}${'\uffff'}`],
  ['long text', () => 'é世a'.repeat(100_000)],
  ['nested containers', () => ({ a: [{ b: new Map([[{ k: 1 }, new Set([[1], 'x'])]]) }] })],
  [
    'arrays of every length',
    () => Array.from({ length: 12 }, (_, n) => Array.from({ length: n }, (_, i) => `${i}`)),
  ],
  ['a long array', () => Array.from({ length: 70_000 }, (_, n) => n)],
  ['an array with holes', () => [1, , 3]], // oxlint-disable-line no-sparse-arrays -- a hole is the point
  ['a date', () => new Date(1_700_000_000_123)],
  ['an invalid date', () => new Date(Number.NaN)],
  ['bytes', () => Uint8Array.from({ length: 300 }, (_, n) => n)],
  ['a Buffer', () => Buffer.from('abc')],
  ['part of a buffer', () => new Uint8Array(new ArrayBuffer(16), 3, 5)],
  ['an ArrayBuffer', () => Uint8Array.from([1, 2, 3]).buffer],
  [
    'views',
    () => [
      Int8Array.of(-1),
      Uint8ClampedArray.of(300),
      Int16Array.of(-2),
      Uint16Array.of(2),
      Int32Array.of(-3),
      Uint32Array.of(3),
      Float32Array.of(1.5),
      Float64Array.of(-0, Number.NaN),
      BigInt64Array.of(-1n),
      BigUint64Array.of(2n ** 64n - 1n),
      new DataView(new ArrayBuffer(8), 2, 3),
    ],
  ],
  [
    'PIDs and references',
    () => [new Pid(0, 2 ** 40 - 1), new Pid(0xffffff, 5), new Ref(0, 2 ** 34, 2 ** 53 - 1)],
  ],
  ['an error', () => new Error('no')],
  ['an error with a cause', () => new RangeError('far', { cause: new Error('deep', { cause: [1] }) })],
  ['an error of a class of its own', () => new CustomError('mine')],
  ['an aggregate error', () => new AggregateError([new Error('a'), new TypeError('b')], 'many')],
  [
    'an error with fields',
    () => Object.assign(new Error('io'), { code: 'EIO', errno: -5, path: '/x', extra: { a: 1 } }),
  ],
  ['an abort', () => AbortSignal.abort().reason],
  ['a struct', () => struct('point', { x: 1, y: [2] })],
  ['an empty struct', () => struct('', {})],
  ['keys with a meaning', withOwnProto],
  ['a struct with such keys', () => struct('t', withOwnProto())],
  ['keys of all sorts', () => ({ '': 1, ' ': 2, '1': 3, '\u2028': 4, '"': 5, '\\': 6, '`${}': 7, 世: 8 })],
  ['an object without prototype', () => Object.assign(Object.create(null), { a: 1 })],
  ['an object of 64 keys', () => Object.fromEntries(Array.from({ length: 64 }, (_, n) => [`k${n}`, n]))],
  ['an object of 65 keys', () => Object.fromEntries(Array.from({ length: 65 }, (_, n) => [`k${n}`, { n }]))],
  ['a long key', () => ({ ['k'.repeat(65_535)]: 1 })],
  ['a getter', () => Object.defineProperty({}, 'now', { get: () => 5, enumerable: true })],
  ['a symbol key', () => ({ a: 1, [Symbol('hidden')]: () => 0 })],
  ['a hidden property', () => Object.defineProperty({ a: 1 }, 'b', { value: () => 0, enumerable: false })],
  [
    'the same object twice',
    () => {
      const shared = { a: 1 };
      return [shared, shared, { shared }];
    },
  ],
  ['bytes of shared memory', () => ({ b: new Uint8Array(new SharedArrayBuffer(4)).fill(3, 1) })],
  ['many bytes of shared memory', () => [new Uint8Array(new SharedArrayBuffer(200_000)).fill(3, 1)]],
  ['a view of shared memory', () => new Int32Array(new SharedArrayBuffer(8)).fill(-2, 1)],
  ['depth 128', () => nested(128)],
  [
    'scalars in depth 128',
    () => {
      let value: unknown = [
        new Date(5),
        new Uint8Array(2),
        new Pid(0, 1),
        new Ref(0, 1, 1),
        new Float32Array(1),
      ];
      for (let level = 1; level < 128; level++) value = [value];
      return value;
    },
  ],
  ['a map of many', () => new Map(Array.from({ length: 5000 }, (_, n) => [n, `${n}`]))],
];

const transferred = (): Uint8Array => {
  const bytes = new Uint8Array(8);
  structuredClone(bytes, { transfer: [bytes.buffer] });
  return bytes;
};

const cyclic = (): object => {
  const cycle: { self?: unknown } = {};
  cycle.self = [cycle];
  return cycle;
};

const UNSENDABLE = 'SNOW_ERR_UNSENDABLE';

export const refused: readonly (readonly [name: string, make: () => unknown, path: string, code: string])[] =
  [
    ['a function', () => () => 0, '$', UNSENDABLE],
    ['a symbol', () => Symbol('s'), '$', UNSENDABLE],
    ['a function inside', () => ({ items: [1, 2, 3, { cb: () => 0 }] }), '$.items[3].cb', UNSENDABLE],
    ['a class instance', () => ({ p: new Point() }), '$.p', UNSENDABLE],
    ['a promise', () => [Promise.resolve()], '$[0]', UNSENDABLE],
    ['a regular expression', () => /a/, '$', UNSENDABLE],
    ['a boxed number', () => [Object(1)], '$[0]', UNSENDABLE],
    ['a weak map', () => new WeakMap(), '$', UNSENDABLE],
    ['an inheriting object', () => Object.create({ a: 1 }), '$', UNSENDABLE],
    ['a subclass of Array', () => new (class List extends Array<number> {})(), '$', UNSENDABLE],
    ['a subclass of Map', () => new (class Table extends Map<string, number> {})(), '$', UNSENDABLE],
    ['a cycle', cyclic, '$.self[0]', UNSENDABLE],
    ['a lone surrogate', () => ['\ud800'], '$[0]', UNSENDABLE],
    ['a lone low surrogate', () => ({ t: 'a\udc00b' }), '$.t', UNSENDABLE],
    ['a lone surrogate in long text', () => [`${'x'.repeat(500)}\ud800`], '$[0]', UNSENDABLE],
    ['a lone surrogate in text of medium length', () => [`${'x'.repeat(50)}\udfff`], '$[0]', UNSENDABLE],
    ['a lone surrogate in a key', () => ({ '\ud800': 1 }), '$["\\ud800"] (key)', UNSENDABLE],
    [
      'a lone surrogate in a key of many',
      () => ({ ...Object.fromEntries(Array.from({ length: 70 }, (_, n) => [`k${n}`, n])), '\ud800': 1 }),
      '$["\\ud800"] (key)',
      UNSENDABLE,
    ],
    ['a SharedArrayBuffer', () => new SharedArrayBuffer(4), '$', UNSENDABLE],
    ['transferred bytes', () => [transferred()], '$[0]', UNSENDABLE],
    ['a transferred buffer', () => ({ b: transferred().buffer }), '$.b', UNSENDABLE],
    ['a function in a Map', () => new Map([['a', () => 0]]), '$.get("a")', UNSENDABLE],
    ['a function as a key of a Map', () => new Map([[() => 0, 1]]), '$.get(…) (key)', UNSENDABLE],
    ['a function in a Set', () => [new Set([1, () => 0])], '$[0].has(…)', UNSENDABLE],
    [
      'a function in an error',
      () => Object.assign(new Error('x'), { retry: () => 0 }),
      '$.retry',
      UNSENDABLE,
    ],
    ['a function as a cause', () => [new Error('x', { cause: () => 0 })], '$[0].cause', UNSENDABLE],
    ['a function in a struct', () => struct('t', { f: () => 0 }), '$.f', UNSENDABLE],
    ['a key beyond 65 535 bytes', () => ({ ['k'.repeat(65_536)]: 1 }), '$', UNSENDABLE],
    ['a key beyond 65 535 bytes of UTF-8', () => [{ ['é'.repeat(40_000)]: 1 }], '$[0]', UNSENDABLE],
    ['a type beyond 65 535 bytes', () => struct('t'.repeat(70_000), {}), '$', UNSENDABLE],
    ['depth 129', () => nested(129), `$${'[0].inside'.repeat(64)}`, 'SNOW_ERR_TOO_DEEP'],
    [
      'depth 129 by an empty list',
      () => {
        let value: unknown = [];
        for (let level = 1; level < 129; level++) value = [value];
        return value;
      },
      `$${'[0]'.repeat(128)}`,
      'SNOW_ERR_TOO_DEEP',
    ],
  ];
