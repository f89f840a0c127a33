import { describe, expect, it } from 'vitest';
import { SnowmeshError } from '../../../ts/errors/index.ts';
import {
  ByteCopies,
  copyAgain,
  copyTerm,
  decodeTerm,
  encodeTerm,
  FrameWriter,
  freezeDeep,
  Pid,
  Ref,
} from '../../../ts/term/index.ts';
import { WARM_UP } from '../../../ts/term/literal.ts';
import { codeOf, pathOf, same } from './outcome.ts';
import { refused, sendable } from './values.ts';

const REPEATS = WARM_UP + 3;

function written(value: unknown): unknown {
  const writer = new FrameWriter(new Uint8Array(256 * 1024), {
    identityOf: () => ({ name: 'b@h:1', incarnation: 1n }),
  });
  writer.begin(0x10);
  try {
    writer.term(value);
    return writer.end();
  } catch (error) {
    writer.cancel();
    throw error;
  }
}

/** Everything in a value that its receiver could change. */
function changeable(value: unknown): object[] {
  if (typeof value !== 'object' || value === null || value instanceof Pid || value instanceof Ref) return [];
  if (value instanceof ArrayBuffer) return [value];
  if (ArrayBuffer.isView(value)) return [value, value.buffer];
  const parts = value instanceof Map ? [...value].flat() : value instanceof Set ? [...value] : [];
  return [value, ...[...parts, ...Object.values(value)].slice(0, 100).flatMap(changeable)];
}

describe('what can be sent', () => {
  it.each(sendable)('B9 B11 copies %s into what would arrive elsewhere', (_name, make) => {
    const original = make();
    const arrived = decodeTerm(encodeTerm(original));
    for (let time = 0; time < REPEATS; time++) same(copyTerm(original), arrived);
    written(original);
  });

  it.each(sendable)('B8 copies %s again, and shares nothing that can change', (_name, make) => {
    for (const first of [copyTerm(make()), decodeTerm(encodeTerm(make()))]) {
      const copies = new ByteCopies(1000);
      let next: unknown;
      for (let time = 0; time < REPEATS; time++) next = copyAgain(first, copies);
      same(next, first);
      const parts = new Set(changeable(first));
      expect(changeable(next).some((part) => parts.has(part))).toBe(false);
    }
  });

  it.each(refused)('B9 refuses %s here and for elsewhere, naming the path', (_name, make, path, code) => {
    for (const way of [copyTerm, encodeTerm, written]) {
      const value = make();
      expect(codeOf(() => way(value))).toBe(code);
      expect(pathOf(() => way(value))).toBe(path);
    }
  });

  it('B9 names the path in the message, and shortens long ones', () => {
    expect(() => copyTerm({ a: { 'b c': [new WeakSet()] } })).toThrow(
      'Cannot send an instance of WeakSet at $.a["b c"][0]: send plain data instead.',
    );
    class Point {
      x = 1;
    }
    expect(() => copyTerm({ at: new Point() })).toThrow(
      "Cannot send an instance of Point at $.at: send plain data, or a copy of its fields that keeps its type: struct('Point', { … }).",
    );
    expect(() => copyTerm({ p: Promise.resolve() })).toThrow(
      'Cannot send a promise at $.p: did you forget await?',
    );
    class Actor {
      readonly pid = new Pid(0, 1);
    }
    expect(() => copyTerm([new Actor()])).toThrow(
      'Cannot send an instance of Actor at $[0]: send its pid instead.',
    );
    class Odd {
      get pid(): never {
        throw new Error('odd');
      }
    }
    expect(() => copyTerm(new Odd())).toThrow('Cannot send an instance of Odd at $: send plain data, or');
    let deep: unknown = class {};
    for (let level = 0; level < 100; level++) deep = { inside: deep };
    expect(() => copyTerm(deep)).toThrow(/^Cannot send a function \(deep\) at \$\.inside.{100,140}: send/);
  });

  it('B8 shares what freezeDeep froze, also inside of another value, and copies what is frozen at the top only', () => {
    const frozen = freezeDeep({ list: [1, { deep: 'x' }] });
    expect(copyTerm(frozen)).toBe(frozen);
    expect(copyTerm({ frozen }).frozen).toBe(frozen);
    const shallow = Object.freeze({ list: [1] });
    expect(copyTerm(shallow)).not.toBe(shallow);
  });

  it('B8 freezes nothing whose code could run in a receiver', () => {
    for (const inside of [{}, []]) {
      const proxy = new Proxy(inside, {});
      for (const value of [proxy, { proxy }, [[proxy]]])
        expect(() => freezeDeep(value)).toThrow(/Cannot freeze a Proxy at \$/);
    }
  });

  it('B9 refuses a frozen value where it goes too deep, and nowhere else', () => {
    let frozen: object = {};
    for (let level = 1; level < 100; level++) frozen = level % 2 ? { frozen } : [frozen];
    freezeDeep(frozen);
    let around: unknown = frozen;
    for (let level = 100; level < 128; level++) around = [around];
    expect(copyTerm(around)).toEqual(around);
    expect(() => copyTerm([around])).toThrow(expect.objectContaining({ code: 'SNOW_ERR_TOO_DEEP' }));
    expect(() => copyTerm({ around })).toThrow(expect.objectContaining({ code: 'SNOW_ERR_TOO_DEEP' }));
  });

  it('lets errors thrown by getters through', () => {
    const value = {
      get broken(): never {
        throw new RangeError('mine');
      },
    };
    expect(() => copyTerm(value)).toThrow(RangeError);
    expect(() => encodeTerm(value)).toThrow(RangeError);
  });
});

describe('isolation', () => {
  it('B8 shares nothing that can change', () => {
    const make = () => ({
      list: [1, { deep: true }],
      map: new Map<string, unknown>([['a', [1]]]),
      set: new Set([1]),
      date: new Date(5),
      bytes: Uint8Array.of(1, 2),
      view: Float64Array.of(1),
      error: Object.assign(new Error('x'), { extra: { a: 1 } }),
    });
    for (let time = 0; time < REPEATS; time++) {
      const original = make();
      const copy = copyTerm(original);
      original.list.push(3);
      (original.list[1] as { deep: boolean }).deep = false;
      (original.map.get('a') as number[]).push(2);
      original.map.set('b', 1);
      original.set.add(2);
      original.date.setTime(6);
      original.bytes[0] = 9;
      original.view[0] = 9;
      original.error.extra.a = 2;
      original.error.message = 'y';
      const { error, ...rest } = make();
      const { error: copiedError, ...copiedRest } = copy;
      same(copiedRest, rest);
      expect(copiedError.message).toBe('x');
      expect(copiedError.extra).toEqual(error.extra);
    }
  });

  it('passes PIDs and references as they are, with their routes', () => {
    const route = {};
    const pid = new Pid(0, 5, route);
    const ref = new Ref(0, 5, 1);
    const copy = copyTerm({ pid, list: [ref] });
    expect(copy.pid).toBe(pid);
    expect(copy.list[0]).toBe(ref);
  });

  it('copies arrays without their holes and properties', () => {
    const list = Object.assign([1, 2, 3, 4, 5, 6], { extra: 1 });
    delete list[2];
    const copy = copyTerm(list);
    expect(Object.keys(copy)).toEqual(['0', '1', '2', '3', '4', '5']);
    expect(copy[2]).toBeUndefined();
  });

  it('reads each getter once', () => {
    let reads = 0;
    const value = Object.defineProperty({}, 'n', { get: () => ++reads, enumerable: true });
    for (let time = 1; time < REPEATS; time++) expect(copyTerm(value)).toEqual({ n: time });
  });

  it('leaves properties of a polluted Object.prototype out', () => {
    // oxlint-disable-next-line no-extend-native -- what careless libraries do
    Object.defineProperty(Object.prototype, 'polluted', {
      value: () => 0,
      enumerable: true,
      configurable: true,
    });
    const seen = new Set<string>();
    try {
      for (let time = 0; time < REPEATS; time++) {
        for (const key of Object.keys(copyTerm({ clean: { a: 1 } }))) seen.add(key);
        for (const key of Object.keys(decodeTerm(encodeTerm({ plain: 1, toString: 2 })) as object))
          seen.add(key);
        written({ clean: [{ b: 1 }] });
      }
    } finally {
      // oxlint-disable-next-line typescript/no-explicit-any -- it was put there just above
      delete (Object.prototype as any).polluted;
    }
    expect([...seen]).toEqual(['clean', 'plain', 'toString']);
  });

  it('keeps copying right when objects use ever new keys', () => {
    for (let n = 0; n < 30_000; n++) {
      const copy = copyTerm({ [`key ${n}`]: n, same: [n] });
      if (n % 1000 === 0) expect(copy).toEqual({ [`key ${n}`]: n, same: [n] });
    }
  });
});

describe('errors', () => {
  it('B11 come back as errors of their class, name, stack, code and cause', () => {
    class StoreError extends RangeError {
      override name = 'StoreError';
      readonly code = 'E_STORE';
    }
    const original = new StoreError('full', { cause: new TypeError('inner') });
    for (const back of [copyTerm(original), decodeTerm(encodeTerm(original)) as StoreError]) {
      expect(back).toBeInstanceOf(RangeError);
      expect(Object.getPrototypeOf(back)).toBe(RangeError.prototype);
      expect(back.name).toBe('StoreError');
      expect(back.message).toBe('full');
      expect(back.stack).toBe(original.stack);
      expect(back.code).toBe('E_STORE');
      expect(back.cause).toBeInstanceOf(TypeError);
      expect(Object.keys(back)).toEqual(['code']);
    }
  });

  it('B11 keep the class and the details of our own', () => {
    const original = new SnowmeshError('SNOW_ERR_TOO_DEEP', 'deep', {
      details: { path: '$', limit: 128 },
      cause: 1,
    });
    const back = copyTerm(original);
    expect(back).toBeInstanceOf(SnowmeshError);
    expect(back).toMatchObject({
      code: 'SNOW_ERR_TOO_DEEP',
      message: 'deep',
      details: { limit: 128 },
      cause: 1,
    });
    expect(back.name).toBe('SnowmeshError');
  });

  it('always can be sent as far as their own text goes', () => {
    const odd = new Error('\ud800');
    odd.name = 'N\udfff';
    expect(copyTerm(odd)).toMatchObject({ message: '\ufffd', name: 'N\ufffd' });
  });

  it('B12 with a field called __proto__ stay errors', () => {
    const odd = new Error('x');
    Object.defineProperty(odd, '__proto__', { value: { polluted: 1 }, enumerable: true });
    const back = copyTerm(odd);
    expect(Object.getPrototypeOf(back)).toBe(Error.prototype);
    expect('polluted' in back).toBe(false);
  });
});
