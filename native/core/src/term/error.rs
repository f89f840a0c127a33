//! What can be wrong with a term.

use thiserror::Error;

/// Whoever wrote the term is at fault.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum TermError {
    /// A big integer is not in its one form: sign 0 or 1, no trailing zero byte, zero is empty and positive.
    #[error("a big integer is not canonical")]
    BadBigInt,
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
    /// Bytes are left behind the value.
    #[error("bytes are left behind the value")]
    TrailingBytes,
    /// The bytes end inside the value.
    #[error("the bytes end inside a value")]
    Truncated,
    /// Containers are nested more than 128 deep.
    #[error("containers are nested too deep")]
    TooDeep,
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
