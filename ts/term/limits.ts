export { FRAGMENT_BYTES, MAX_DEPTH, MAX_MESSAGE, MAX_SHAPE_KEYS, MAX_SHAPES } from '../wire/index.ts';

/** Bytes of all shape announcements of one connection. The peer ends the session at 16 MiB. */
export const MAX_SHAPE_BYTES = 8 * 1024 * 1024;
/** Bytes of a key, of a type name, of a field name: what `u16 length` can say. */
export const MAX_NAME_BYTES = 0xffff;
/** Fields of a struct. */
export const MAX_FIELDS = 0xffff;
/** Entries of one list, Set, Map or object. V8 holds no more in a Set or Map. */
export const MAX_ENTRIES: number = 2 ** 24;
/** Bytes of a bigint. */
export const MAX_BIGINT_BYTES: number = 2 ** 20;
/** Bytes of a string: V8 holds no more characters. */
export const MAX_STRING_BYTES: number = 2 ** 29 - 24;
/** What all values of one term may take on the heap, about, beside the contents of strings and binaries. Unit: bytes. */
export const MAX_TERM_MEMORY: number = 2 ** 30;
