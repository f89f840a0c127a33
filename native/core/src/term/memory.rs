//! Estimated bytes that the values of a term take on the JavaScript heap. A few bytes of a term can become hundreds on
//! the heap, and V8 ends a process whose heap is full.

/// The limit of the estimates of one term, without the contents of its strings and binaries.
pub const MAX_TERM_MEMORY: u64 = 1 << 30;
/// Entries of one LIST, SET, MAP or OBJECT. V8 holds no more in a Set or Map.
pub const MAX_ENTRIES: usize = 1 << 24;
/// Bytes of a BIGINT's magnitude.
pub const MAX_BIGINT_BYTES: usize = 1 << 20;
/// Bytes of a STRING: V8 holds no more characters.
pub const MAX_STRING_BYTES: usize = (1 << 29) - 24;

pub(super) const STRING: u64 = 24;
pub(super) const NUMBER: u64 = 24;
pub(super) const ADDRESS: u64 = 48;
pub(super) const DATE: u64 = 96;
pub(super) const BYTES: u64 = 208;
pub(super) const LIST: u64 = 32;
pub(super) const SET: u64 = 152;
pub(super) const MAP: u64 = 184;
pub(super) const OBJECT: u64 = 56;
pub(super) const SHAPED: u64 = 32;
pub(super) const STRUCT: u64 = 128;
/// An entry of a list or of a shaped object.
pub(super) const SLOT: u64 = 8;
/// An entry of a set.
pub(super) const SET_ENTRY: u64 = 32;
/// An entry of a map.
pub(super) const MAP_ENTRY: u64 = 48;
/// An entry of an object without a shape, its key included.
pub(super) const KEY: u64 = 64;
