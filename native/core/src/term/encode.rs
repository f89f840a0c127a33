//! The reference writer: the shortest form of every value.

use super::{TERM_VERSION, Term, tag};
use crate::pid::{Pid, Ref};
use crate::wire::put_name;

/// Writes the version byte and the value.
///
/// For tests and vectors: trusts the tree (depth, distinct keys, names below 64 KiB) and recurses over it.
#[must_use]
pub fn encode(term: &Term) -> Vec<u8> {
    let mut out = vec![TERM_VERSION];
    put(&mut out, term);
    out
}

fn put(out: &mut Vec<u8>, term: &Term) {
    match term {
        Term::BigInt {
            is_negative,
            magnitude,
        } => {
            out.extend_from_slice(&[tag::BIGINT, u8::from(*is_negative)]);
            put_bytes(out, magnitude);
        }
        Term::Binary(bytes) => match u8::try_from(bytes.len()) {
            Ok(length) => {
                out.extend_from_slice(&[tag::BINARY8, length]);
                out.extend_from_slice(bytes);
            }
            Err(_) => {
                out.push(tag::BINARY);
                put_bytes(out, bytes);
            }
        },
        Term::Bool(value) => out.push(if *value { tag::TRUE } else { tag::FALSE }),
        Term::Date(milliseconds) => put_float(out, tag::DATE, *milliseconds),
        Term::Float(value) => put_float(out, tag::FLOAT, *value),
        Term::Int(value) => put_int(out, *value),
        Term::List(items) => {
            match u8::try_from(items.len()) {
                Ok(count) => out.extend_from_slice(&[tag::LIST8, count]),
                Err(_) => put_count(out, tag::LIST, items.len()),
            }
            put_all(out, items);
        }
        Term::Map(pairs) => {
            put_count(out, tag::MAP, pairs.len());
            for (key, value) in pairs {
                put(out, key);
                put(out, value);
            }
        }
        Term::Null => out.push(tag::NULL),
        Term::Object(pairs) => {
            put_count(out, tag::OBJECT, pairs.len());
            put_named(out, pairs);
        }
        Term::Pid(pid) => {
            out.push(tag::PID);
            put_pid(out, *pid);
        }
        Term::Ref(Ref { owner, id }) => {
            out.push(tag::REF);
            put_pid(out, *owner);
            out.extend_from_slice(&id.to_le_bytes());
        }
        Term::Set(items) => {
            put_count(out, tag::SET, items.len());
            put_all(out, items);
        }
        Term::Shaped { shape, values } => {
            out.push(tag::SHAPED);
            out.extend_from_slice(&shape.to_le_bytes());
            put_all(out, values);
        }
        Term::String(text) => put_string(out, text),
        Term::Struct { type_name, fields } => {
            out.push(tag::STRUCT);
            put_name(out, type_name.as_bytes());
            out.extend_from_slice(&u16::try_from(fields.len()).unwrap_or(u16::MAX).to_le_bytes());
            put_named(out, fields);
        }
        Term::Undefined => out.push(tag::UNDEFINED),
        Term::View { kind, bytes } => {
            out.extend_from_slice(&[tag::VIEW, *kind]);
            put_bytes(out, bytes);
        }
    }
}

fn put_all(out: &mut Vec<u8>, items: &[Term]) {
    for item in items {
        put(out, item);
    }
}

fn put_named(out: &mut Vec<u8>, pairs: &[(String, Term)]) {
    for (key, value) in pairs {
        put_name(out, key.as_bytes());
        put(out, value);
    }
}

fn put_pid(out: &mut Vec<u8>, pid: Pid) {
    out.extend_from_slice(&pid.bits().to_le_bytes());
}

fn put_float(out: &mut Vec<u8>, tag: u8, value: f64) {
    out.push(tag);
    out.extend_from_slice(&value.to_le_bytes());
}

fn put_count(out: &mut Vec<u8>, tag: u8, count: usize) {
    out.push(tag);
    out.extend_from_slice(&u32::try_from(count).unwrap_or(u32::MAX).to_le_bytes());
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes());
    out.extend_from_slice(bytes);
}

fn put_int(out: &mut Vec<u8>, value: i64) {
    if let Ok(small @ 0..=63) = u8::try_from(value) {
        out.push(tag::SMALL_INT + small);
    } else if let Ok(value) = i8::try_from(value) {
        out.push(tag::INT8);
        out.extend_from_slice(&value.to_le_bytes());
    } else if let Ok(value) = i16::try_from(value) {
        out.push(tag::INT16);
        out.extend_from_slice(&value.to_le_bytes());
    } else if let Ok(value) = i32::try_from(value) {
        out.push(tag::INT32);
        out.extend_from_slice(&value.to_le_bytes());
    } else {
        out.push(tag::INT);
        out.extend_from_slice(&value.to_le_bytes());
    }
}

fn put_string(out: &mut Vec<u8>, text: &str) {
    match u8::try_from(text.len()) {
        Ok(length @ 0..=31) => out.push(tag::SHORT_STRING + length),
        Ok(length) => out.extend_from_slice(&[tag::STRING8, length]),
        Err(_) => {
            out.push(tag::STRING);
            return put_bytes(out, text.as_bytes());
        }
    }
    out.extend_from_slice(text.as_bytes());
}
