//! Value tags of terms, spelt as in section 8 of the wire.

/// `i64`.
pub const INT: u8 = 0x01;
/// `f64`.
pub const FLOAT: u8 = 0x02;
/// True.
pub const TRUE: u8 = 0x03;
/// False.
pub const FALSE: u8 = 0x04;
/// `u32` length, UTF-8.
pub const STRING: u8 = 0x05;
/// Undefined.
pub const UNDEFINED: u8 = 0x06;
/// Null.
pub const NULL: u8 = 0x07;
/// `u8` sign, `u32` length, magnitude.
pub const BIGINT: u8 = 0x08;
/// `u32` length, bytes.
pub const BINARY: u8 = 0x09;
/// `u32` count, values.
pub const LIST: u8 = 0x0A;
/// `u32` count, pairs of values.
pub const MAP: u8 = 0x0B;
/// `u32` count, values.
pub const SET: u8 = 0x0C;
/// `u32` count, pairs of a key and a value.
pub const OBJECT: u8 = 0x0E;
/// `u16` shape, as many values as it has keys.
pub const SHAPED: u8 = 0x0F;
/// `f64` milliseconds.
pub const DATE: u8 = 0x10;
/// `u8` kind, `u32` length, bytes.
pub const VIEW: u8 = 0x11;
/// Type name, `u16` count, pairs of a field name and a value.
pub const STRUCT: u8 = 0x14;
/// A PID.
pub const PID: u8 = 0x1E;
/// A reference.
pub const REF: u8 = 0x1F;
/// `i8`.
pub const INT8: u8 = 0x20;
/// `i16`.
pub const INT16: u8 = 0x21;
/// `i32`.
pub const INT32: u8 = 0x22;
/// `u8` length, UTF-8.
pub const STRING8: u8 = 0x23;
/// `u8` count, values.
pub const LIST8: u8 = 0x24;
/// `u8` length, bytes.
pub const BINARY8: u8 = 0x25;
/// The first of the small ints 0 to 63.
pub const SMALL_INT: u8 = 0x40;
/// The last of the small ints.
pub const SMALL_INT_LAST: u8 = 0x7F;
/// The first of the short strings of 0 to 31 bytes.
pub const SHORT_STRING: u8 = 0x80;
/// The last of the short strings.
pub const SHORT_STRING_LAST: u8 = 0x9F;

/// Bytes of one element of a VIEW kind; `None` for an unknown kind.
#[must_use]
pub const fn view_element_bytes(kind: u8) -> Option<usize> {
    match kind {
        // ArrayBuffer, Int8Array, Uint8ClampedArray, DataView
        0..=2 | 11 => Some(1),
        // Int16Array, Uint16Array
        3 | 4 => Some(2),
        // Int32Array, Uint32Array, Float32Array
        5..=7 => Some(4),
        // Float64Array, BigInt64Array, BigUint64Array
        8..=10 => Some(8),
        _ => None,
    }
}
