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

/** An entry of a list or of a shaped object. */
export const SLOT = 8;

/** An entry of a set. */
export const SET_ENTRY = 32;

/** An entry of a map. */
export const MAP_ENTRY = 48;

/** An entry of an object without a shape, its key included. */
export const KEY = 64;
