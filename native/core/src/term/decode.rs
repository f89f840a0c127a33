//! The reference reader: checks, then builds a tree.

use super::{ShapeTable, Term, TermChecker, TermError, Untranslated, tag};
use crate::pid::{Pid, Ref};
use crate::wire::{Reader, Short};

/// Reads a term, version byte included. PIDs stay in the numbering they are in.
///
/// For tests and vectors: copies the bytes, and needs memory for the tree.
///
/// # Errors
/// Whatever is wrong with the bytes.
pub fn decode(bytes: &[u8], shapes: &ShapeTable) -> Result<Term, TermError> {
    TermChecker::default().check(&mut bytes.to_vec(), shapes, &Untranslated)?;
    let mut reader = Reader::new(bytes);
    reader.u8()?;
    value(&mut reader, shapes)
}

/// Checks a term that refers to no connection: every number is taken as it is, no shape is known. Copies the
/// bytes.
///
/// # Errors
/// Whatever is wrong with the bytes.
pub fn validate(bytes: &[u8]) -> Result<(), TermError> {
    TermChecker::default().check(&mut bytes.to_vec(), &ShapeTable::default(), &Untranslated)
}

/// The checker bounded the depth and the counts, so recursion and reservations are safe here.
fn value(reader: &mut Reader<'_>, shapes: &ShapeTable) -> Result<Term, TermError> {
    Ok(match reader.u8()? {
        tag::INT => Term::Int(i64::from_le_bytes(reader.array()?)),
        tag::FLOAT => Term::Float(f64::from_le_bytes(reader.array()?)),
        tag::TRUE => Term::Bool(true),
        tag::FALSE => Term::Bool(false),
        tag::UNDEFINED => Term::Undefined,
        tag::NULL => Term::Null,
        tag::STRING => Term::String(long_text(reader)?),
        tag::STRING8 => Term::String(short_text(reader)?),
        tag @ tag::SHORT_STRING..=tag::SHORT_STRING_LAST => {
            Term::String(text(reader, usize::from(tag - tag::SHORT_STRING))?)
        }
        tag @ tag::SMALL_INT..=tag::SMALL_INT_LAST => Term::Int(i64::from(tag - tag::SMALL_INT)),
        tag::INT8 => Term::Int(i64::from(i8::from_le_bytes(reader.array()?))),
        tag::INT16 => Term::Int(i64::from(i16::from_le_bytes(reader.array()?))),
        tag::INT32 => Term::Int(i64::from(i32::from_le_bytes(reader.array()?))),
        tag::BIGINT => Term::BigInt {
            is_negative: reader.u8()? == 1,
            magnitude: long_bytes(reader)?.to_vec(),
        },
        tag::BINARY => Term::Binary(long_bytes(reader)?.to_vec()),
        tag::BINARY8 => {
            let length = reader.u8()?;
            Term::Binary(reader.bytes(usize::from(length))?.to_vec())
        }
        tag::DATE => Term::Date(f64::from_le_bytes(reader.array()?)),
        tag::VIEW => Term::View {
            kind: reader.u8()?,
            bytes: long_bytes(reader)?.to_vec(),
        },
        tag::PID => Term::Pid(Pid::from_bits(reader.u64()?)),
        tag::REF => Term::Ref(Ref {
            owner: Pid::from_bits(reader.u64()?),
            id: reader.u64()?,
        }),
        container => return compound(container, reader, shapes),
    })
}

fn compound(tag: u8, reader: &mut Reader<'_>, shapes: &ShapeTable) -> Result<Term, TermError> {
    Ok(match tag {
        tag::LIST8 => {
            let count = usize::from(reader.u8()?);
            Term::List(values(count, reader, shapes)?)
        }
        tag::LIST => {
            let count = reader.u32()? as usize;
            Term::List(values(count, reader, shapes)?)
        }
        tag::SET => {
            let count = reader.u32()? as usize;
            Term::Set(values(count, reader, shapes)?)
        }
        tag::MAP => {
            let count = reader.u32()?;
            let pairs = (0..count).map(|_| Ok((value(reader, shapes)?, value(reader, shapes)?)));
            Term::Map(pairs.collect::<Result<_, TermError>>()?)
        }
        tag::OBJECT => {
            let count = reader.u32()?;
            Term::Object(named(count, reader, shapes)?)
        }
        tag::SHAPED => {
            let shape = reader.u16()?;
            let count = shapes.key_count(shape).ok_or(TermError::UnknownShape)?;
            Term::Shaped {
                shape,
                values: values(count, reader, shapes)?,
            }
        }
        tag::STRUCT => {
            let type_name = name(reader)?;
            let count = u32::from(reader.u16()?);
            Term::Struct {
                type_name,
                fields: named(count, reader, shapes)?,
            }
        }
        unknown => return Err(TermError::UnknownTag(unknown)),
    })
}

fn values(count: usize, reader: &mut Reader<'_>, shapes: &ShapeTable) -> Result<Vec<Term>, TermError> {
    (0..count).map(|_| value(reader, shapes)).collect()
}

fn named(count: u32, reader: &mut Reader<'_>, shapes: &ShapeTable) -> Result<Vec<(String, Term)>, TermError> {
    (0..count)
        .map(|_| Ok((name(reader)?, value(reader, shapes)?)))
        .collect()
}

fn long_bytes<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8], TermError> {
    let length = reader.u32()? as usize;
    Ok(reader.bytes(length)?)
}

fn long_text(reader: &mut Reader<'_>) -> Result<String, TermError> {
    let length = reader.u32()? as usize;
    text(reader, length)
}

fn short_text(reader: &mut Reader<'_>) -> Result<String, TermError> {
    let length = usize::from(reader.u8()?);
    text(reader, length)
}

fn name(reader: &mut Reader<'_>) -> Result<String, TermError> {
    let length = usize::from(reader.u16()?);
    text(reader, length)
}

fn text(reader: &mut Reader<'_>, length: usize) -> Result<String, TermError> {
    let bytes = reader.bytes(length)?;
    Ok(std::str::from_utf8(bytes)
        .map_err(|_| TermError::BadUtf8)?
        .to_owned())
}

impl From<Short> for TermError {
    fn from(_: Short) -> Self {
        Self::Truncated
    }
}
