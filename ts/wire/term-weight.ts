// Generated from native/ by scripts/generate-wire.mjs. Do not edit.

export const STRING = 24;

export const NUMBER = 24;

export const ADDRESS = 48;

export const DATE = 96;

export const BYTES = 208;

export const LIST = 32;

export const SET = 152;

export const MAP = 184;

export const OBJECT = 56;

export const SHAPED = 32;

export const STRUCT = 128;

/** Of an entry: of a list or shaped object, a set, a map, an object with its key. */
export const SLOT = 8;

export const SET_ENTRY = 32;

export const MAP_ENTRY = 48;

export const KEY = 64;
