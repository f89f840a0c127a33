//! Terms: STF version 2, section 8 of the wire.
//!
//! [`TermChecker`] is the hot path: one pass over the bytes of every message that comes from a peer, which
//! validates them and rewrites the PIDs inside. [`Term`], [`encode`] and [`decode`] are the reference
//! implementation that tests and vectors are made with; JavaScript has its own codec.
//!
//! Guarantees of a checked term: every tag is known, every length and count is covered by bytes, strings are
//! UTF-8, containers are nested at most [`MAX_DEPTH`] deep, keys of an object are distinct, shapes were
//! announced, its values fit V8's limits and 1 GiB of heap, number keys do not collide in V8's hash tables, and
//! PIDs are in the receiver's numbering. It must not know frames or sessions.

mod check;
mod cursor;
mod decode;
mod encode;
mod error;
mod key_hash;
mod memory;
mod open_keys;
mod shape_table;
pub mod tag;
mod translate;
mod value;

pub use check::TermChecker;
pub use decode::{decode, validate};
pub use encode::encode;
pub use error::TermError;
pub use memory::{MAX_BIGINT_BYTES, MAX_ENTRIES, MAX_STRING_BYTES, MAX_TERM_MEMORY};
pub use shape_table::ShapeTable;
pub use translate::{Translate, Untranslated};
pub use value::Term;

/// The version byte that begins every term.
pub const TERM_VERSION: u8 = 2;
/// How deep containers may be nested: a value that is no container has depth 0, an empty list 1.
pub const MAX_DEPTH: usize = 128;
