// Generated from native/ by scripts/generate-wire.mjs. Do not edit.

/** `i64`. */
export const INT = 0x01;

/** `f64`. */
export const FLOAT = 0x02;

/** True. */
export const TRUE = 0x03;

/** False. */
export const FALSE = 0x04;

/** `u32` length, UTF-8. */
export const STRING = 0x05;

/** Undefined. */
export const UNDEFINED = 0x06;

/** Null. */
export const NULL = 0x07;

/** `u8` sign, `u32` length, magnitude. */
export const BIGINT = 0x08;

/** `u32` length, bytes. */
export const BINARY = 0x09;

/** `u32` count, values. */
export const LIST = 0x0a;

/** `u32` count, pairs of values. */
export const MAP = 0x0b;

/** `u32` count, values. */
export const SET = 0x0c;

/** `u32` count, pairs of a key and a value. */
export const OBJECT = 0x0e;

/** `u16` shape, as many values as it has keys. */
export const SHAPED = 0x0f;

/** `f64` milliseconds. */
export const DATE = 0x10;

/** `u8` kind, `u32` length, bytes. */
export const VIEW = 0x11;

/** Type name, `u16` count, pairs of a field name and a value. */
export const STRUCT = 0x14;

/** A PID. */
export const PID = 0x1e;

/** A reference. */
export const REF = 0x1f;

/** `i8`. */
export const INT8 = 0x20;

/** `i16`. */
export const INT16 = 0x21;

/** `i32`. */
export const INT32 = 0x22;

/** `u8` length, UTF-8. */
export const STRING8 = 0x23;

/** `u8` count, values. */
export const LIST8 = 0x24;

/** `u8` length, bytes. */
export const BINARY8 = 0x25;

/** The first of the small ints 0 to 63. */
export const SMALL_INT = 0x40;

/** The last of the small ints. */
export const SMALL_INT_LAST = 0x7f;

/** The first of the short strings of 0 to 31 bytes. */
export const SHORT_STRING = 0x80;

/** The last of the short strings. */
export const SHORT_STRING_LAST = 0x9f;

/** How many tags SMALL_INT to SMALL_INT_LAST are. */
export const SMALL_INT_COUNT = 64;

/** How many tags SHORT_STRING to SHORT_STRING_LAST are. */
export const SHORT_STRING_COUNT = 32;
