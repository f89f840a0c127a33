// Tags of STF version 2 (docs/wire.md, section 8). Same names in Rust.
export const STF_VERSION = 2;

export const INT = 0x01;
export const FLOAT = 0x02;
export const TRUE = 0x03;
export const FALSE = 0x04;
export const STRING = 0x05;
export const UNDEFINED = 0x06;
export const NULL = 0x07;
export const BIGINT = 0x08;
export const BINARY = 0x09;
export const LIST = 0x0a;
export const MAP = 0x0b;
export const SET = 0x0c;
export const OBJECT = 0x0e;
export const SHAPED = 0x0f;
export const DATE = 0x10;
export const VIEW = 0x11;
export const STRUCT = 0x14;
export const PID = 0x1e;
export const REF = 0x1f;
export const INT8 = 0x20;
export const INT16 = 0x21;
export const INT32 = 0x22;
export const STRING8 = 0x23;
export const LIST8 = 0x24;
export const BINARY8 = 0x25;
/** 0x40-0x7F: the ints 0 to 63. */
export const SMALL_INT = 0x40;
export const SMALL_INT_COUNT = 64;
/** 0x80-0x9F: strings of 0 to 31 bytes. */
export const SHORT_STRING = 0x80;
export const SHORT_STRING_COUNT = 32;
