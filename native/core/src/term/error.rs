//! How a term can be malformed.

use thiserror::Error;

/// A term is malformed; the node that wrote it is at fault.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum TermError {
    /// A big integer is not in its one form: sign 0 or 1, no trailing zero byte, zero is empty and positive.
    #[error("a big integer is not canonical")]
    BadBigInt,
    /// A big integer has more than 1 MiB.
    #[error("a big integer has more than 1 MiB")]
    BigIntTooLarge,
    /// Too many number keys fall into the same bucket of V8's hash table.
    #[error("the keys of a map or set collide")]
    CollidingKeys,
    /// A string, key or name is not UTF-8.
    #[error("a string is not valid UTF-8")]
    BadUtf8,
    /// An unknown kind of view, or a length that is no multiple of its element size.
    #[error("a view has an unknown kind or a broken length")]
    BadView,
    /// More values are announced than bytes are left.
    #[error("a count exceeds the bytes that are there")]
    CountTooLarge,
    /// An object has the same key twice.
    #[error("an object has the same key twice")]
    DuplicateKey,
    /// A string is longer than V8 can hold.
    #[error("a string has more than 2^29 - 24 bytes")]
    StringTooLong,
    /// Bytes are left behind the value.
    #[error("bytes are left behind the value")]
    TrailingBytes,
    /// The bytes end inside the value.
    #[error("the bytes end inside a value")]
    Truncated,
    /// Containers are nested more than 128 deep.
    #[error("containers are nested too deep")]
    TooDeep,
    /// A list, set, map or object has more than 2^24 entries.
    #[error("a list, set, map or object has more than 2^24 entries")]
    TooManyEntries,
    /// The values would take more than 1 GiB in JavaScript.
    #[error("the values take more than 1 GiB of memory")]
    TooMuchMemory,
    /// A PID or reference of a pair that was not announced.
    #[error("a PID of a node that was not announced")]
    UnannouncedPid,
    /// An object of a shape that was not announced.
    #[error("an object of a shape that was not announced")]
    UnknownShape,
    /// An unknown tag.
    #[error("unknown tag {0:#04x}")]
    UnknownTag(u8),
    /// A version other than 2.
    #[error("unknown term version {0}")]
    UnknownVersion(u8),
}
