// ArrayBuffers, and views other than Uint8Array: their kinds on the wire, and their constructors.
import { UNSENDABLE } from './sendable.ts';

type ViewConstructor = { new (buffer: ArrayBuffer): ArrayBufferView; readonly BYTES_PER_ELEMENT?: number };

/** Index = kind on the wire. Kind 0 is the ArrayBuffer itself. */
const VIEWS: readonly (ViewConstructor | undefined)[] = [
  undefined,
  Int8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
  DataView,
];

/** Kinds are below this. */
export const VIEW_KINDS: number = VIEWS.length;

/** The kind of a buffer or view other than a Uint8Array; undefined for subclasses, which cannot be sent. */
export function viewKind(value: ArrayBuffer | ArrayBufferView): number | undefined {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === ArrayBuffer.prototype) return 0;
  for (let kind = 1; kind < VIEWS.length; kind++) if (prototype === VIEWS[kind]?.prototype) return kind;
  return undefined;
}

/** Bytes of one element. */
export function elementSize(kind: number): number {
  return VIEWS[kind]?.BYTES_PER_ELEMENT ?? 1;
}

/** Makes a view of `kind` on its own buffer. */
export function makeView(kind: number, bytes: ArrayBuffer): ArrayBuffer | ArrayBufferView {
  const View = VIEWS[kind];
  return View === undefined ? bytes : new View(bytes);
}

/** The bytes of a buffer or view, not copied. Throws UNSENDABLE for a buffer that was transferred. */
export function bytesOf(value: ArrayBuffer | ArrayBufferView): Uint8Array {
  try {
    if (!ArrayBuffer.isView(value)) return new Uint8Array(value);
    return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  } catch {
    throw UNSENDABLE;
  }
}
