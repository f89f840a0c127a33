import { MAX_SHAPE_KEYS, MAX_SHAPES } from './limits.ts';

/** The key list of a plain object, sent once per connection. */
export interface Shape {
  readonly id: number;
  readonly keys: readonly string[];
}

const MAX_KEY_BYTES = 255;
/** Shapes that begin with the same key and are compared one by one; more of them carry their keys. */
const MAX_RIVALS = 16;

/**
 * Shapes one side of a connection has announced, found by the keys of an object. Bounded: objects with keys made of data
 * must not grow it for ever.
 */
export class EncoderShapes {
  private readonly byFirst = new Map<string, Shape[]>();
  private count = 0;

  /** The shape of these keys when it is known. O(keys) for the usual case. */
  find(keys: readonly string[]): Shape | undefined {
    const rivals = this.byFirst.get(keys[0] as string);
    if (rivals === undefined) return undefined;
    for (let index = 0; index < rivals.length; index++) {
      const shape = rivals[index] as Shape;
      if (isSame(shape.keys, keys)) return shape;
    }
    return undefined;
  }

  /** Makes a shape of keys that `find` does not know; undefined: too many, or keys that do not qualify. */
  define(keys: readonly string[]): Shape | undefined {
    if (this.count >= MAX_SHAPES || keys.length > MAX_SHAPE_KEYS) return undefined;
    const first = keys[0] as string;
    const rivals = this.byFirst.get(first);
    if (rivals !== undefined && rivals.length >= MAX_RIVALS) return undefined;
    for (const key of keys) if (key.length * 3 > MAX_KEY_BYTES || !key.isWellFormed()) return undefined;
    const shape = { id: this.count++, keys };
    if (rivals === undefined) this.byFirst.set(first, [shape]);
    else rivals.push(shape);
    return shape;
  }
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index++) if (a[index] !== b[index]) return false;
  return true;
}
