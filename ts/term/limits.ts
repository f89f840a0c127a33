export {
  FRAGMENT_BYTES,
  MAX_BIGINT_BYTES,
  MAX_DEPTH,
  MAX_ENTRIES,
  MAX_MESSAGE,
  MAX_SHAPE_KEYS,
  MAX_SHAPES,
  MAX_STRING_BYTES,
  MAX_TERM_MEMORY,
} from '../wire/index.ts';

/** Bytes of all SHAPE frames of one connection. The peer ends the session at 16 MiB. */
export const MAX_SHAPE_BYTES = 8 * 1024 * 1024;
/** Bytes of a key, of a type name, of a field name: the greatest `u16 length`. */
export const MAX_NAME_BYTES = 0xffff;
/** Fields of a struct. */
export const MAX_FIELDS = 0xffff;
