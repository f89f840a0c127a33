// Values as test/vectors/README.md writes them down in JSON.
import { readFileSync } from 'node:fs';
import { isErrorType, makeError } from '../../../ts/term/error-term.ts';
import { Pid, Ref, Tagged } from '../../../ts/term/index.ts';
import { makeView } from '../../../ts/term/view.ts';

export type VectorValue = null | boolean | string | { readonly [kind: string]: unknown };

export interface TermVectors {
  readonly shapes: readonly (readonly string[])[];
  readonly accept: readonly {
    readonly name: string;
    readonly hex: string;
    readonly value: VectorValue;
    readonly canonical: boolean;
  }[];
  readonly reject: readonly { readonly name: string; readonly hex: string }[];
}

export function vectors<T>(file: string): T {
  return JSON.parse(readFileSync(new URL(`../../vectors/${file}`, import.meta.url), 'utf8')) as T;
}

export const bytes = (hex: string): Uint8Array<ArrayBuffer> => Uint8Array.from(Buffer.from(hex, 'hex'));
export const hex = (data: Uint8Array): string =>
  Buffer.from(data.buffer, data.byteOffset, data.length).toString('hex');

const f64 = (text: string): number => Buffer.from(text, 'hex').readDoubleLE();

/** The JavaScript value that a vector describes. */
export function toValue(described: VectorValue, shapes: readonly (readonly string[])[]): unknown {
  if (described === null || typeof described !== 'object') return described;
  const [[kind, inside] = ['', undefined]] = Object.entries(described);
  const of = (value: unknown): unknown => toValue(value as VectorValue, shapes);
  const pairs = (value: unknown): [unknown, unknown][] =>
    (value as [unknown, unknown][]).map(([key, inner]) => [of(key), of(inner)]);
  switch (kind) {
    case 'undefined':
      return undefined;
    case 'int': {
      const int = BigInt(inside as string);
      return Number.isSafeInteger(Number(int)) ? Number(int) : int;
    }
    case 'float':
      return f64(inside as string);
    case 'date':
      return new Date(f64(inside as string));
    case 'bigint':
      return (inside as string).startsWith('-')
        ? -BigInt((inside as string).slice(1))
        : BigInt(inside as string);
    case 'binary':
      return bytes(inside as string);
    case 'list':
      return (inside as unknown[]).map(of);
    case 'nested': {
      let list: unknown[] = [];
      for (let depth = 1; depth < Number(inside); depth++) list = [list];
      return list;
    }
    case 'set':
      return new Set((inside as unknown[]).map(of));
    case 'map':
      return new Map(pairs(inside));
    case 'object':
      return plain(pairs(inside));
    case 'shaped': {
      const { shape, values } = inside as { shape: number; values: unknown[] };
      return plain((shapes[shape] as string[]).map((key, index) => [key, of(values[index])]));
    }
    case 'view': {
      const view = inside as { kind: number; hex: string };
      return makeView(view.kind, bytes(view.hex).buffer);
    }
    case 'struct': {
      const { type, fields } = inside as { type: string; fields: [string, unknown][] };
      const values = fields.map(([key, inner]): [string, unknown] => [key, of(inner)]);
      return isErrorType(type) ? makeError(type, values) : new Tagged(type, plain(values));
    }
    case 'pid': {
      const { nc, local } = inside as { nc: number; local: number };
      return new Pid(Number(nc), Number(local));
    }
    case 'ref': {
      const { nc, local, id } = inside as { nc: number; local: number; id: number };
      return new Ref(Number(nc), Number(local), Number(id));
    }
    default:
      throw new Error(`unknown kind ${kind}`);
  }
}

function plain(pairs: readonly (readonly [unknown, unknown])[]): object {
  const object = {};
  for (const [key, value] of pairs) {
    Object.defineProperty(object, key as string, {
      value,
      enumerable: true,
      writable: true,
      configurable: true,
    });
  }
  return object;
}
