/** Deepest nesting of a term. */
export const MAX_DEPTH = 128;
/** Longest message by default, in bytes. */
export const MAX_MESSAGE = 128 * 1024 * 1024;
/** Frames with more than this (tag and body) travel in fragments. */
export const FRAGMENT_BYTES = 128 * 1024;
/** Shapes per connection and direction; objects beyond them carry their keys. */
export const MAX_SHAPES = 4096;
export const MAX_SHAPE_KEYS = 64;
