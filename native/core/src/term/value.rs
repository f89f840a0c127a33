//! A term as an owned tree.

use crate::pid::{Pid, Ref};

/// Every kind of value that can travel.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Term {
    /// An integer beyond 64 bits or one that JavaScript holds as a bigint.
    BigInt {
        /// Below zero.
        is_negative: bool,
        /// Least significant byte first, without trailing zeros.
        magnitude: Vec<u8>,
    },
    /// A `Uint8Array`.
    Binary(Vec<u8>),
    /// True or false.
    Bool(bool),
    /// A date in milliseconds; NaN is the invalid date.
    Date(f64),
    /// A number that is no 32-bit integer.
    Float(f64),
    /// An integer.
    Int(i64),
    /// An array.
    List(Vec<Term>),
    /// A `Map`.
    Map(Vec<(Term, Term)>),
    /// Null.
    Null,
    /// A plain object. Keys are distinct.
    Object(Vec<(String, Term)>),
    /// An actor's address.
    Pid(Pid),
    /// A reference.
    Ref(Ref),
    /// A `Set`.
    Set(Vec<Term>),
    /// A plain object whose keys were announced.
    Shaped {
        /// The id of its shape.
        shape: u16,
        /// As many as the shape has keys.
        values: Vec<Term>,
    },
    /// Text.
    String(String),
    /// An error or a tagged struct.
    Struct {
        /// Its type's name.
        type_name: String,
        /// In the order of writing.
        fields: Vec<(String, Term)>,
    },
    /// Undefined.
    Undefined,
    /// Another view of an array buffer.
    View {
        /// As in section 8 of the wire.
        kind: u8,
        /// Its bytes.
        bytes: Vec<u8>,
    },
}
