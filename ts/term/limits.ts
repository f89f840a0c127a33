/** Deepest nesting of a term: containers within containers. */
export const MAX_DEPTH = 128;
/** Longest message by default, in bytes of its frame (tag and body). */
export const MAX_MESSAGE = 128 * 1024 * 1024;
/** Frames with more than this (tag and body) travel in fragments. */
export const FRAGMENT_BYTES = 128 * 1024;
/** Shapes per connection and direction; objects beyond them carry their keys. */
export const MAX_SHAPES = 4096;
/** Keys of one shape; objects with more of them carry their keys. */
export const MAX_SHAPE_KEYS = 64;
/** Bytes of all shape announcements of one connection. The peer ends the session at 16 MiB. */
export const MAX_SHAPE_BYTES = 8 * 1024 * 1024;
/** Bytes of a key, of a type name, of a field name: what `u16 length` can say. */
export const MAX_NAME_BYTES = 0xffff;
/** Fields of a struct. */
export const MAX_FIELDS = 0xffff;
