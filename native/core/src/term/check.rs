//! The hot path: validates a term and rewrites its PIDs in one pass over the bytes.
//!
//! Recursion happens per container only and is bounded by [`MAX_DEPTH`], so the stack stays within some tens of
//! KiB whatever the input. Checking allocates only to grow two lists of keys that are reused from term to term.

use super::cursor::Cursor;
use super::key_hash::{Collisions, FEW_KEYS as FEW_ENTRIES};
use super::memory::{self, MAX_BIGINT_BYTES, MAX_ENTRIES, MAX_STRING_BYTES, MAX_TERM_MEMORY};
use super::open_keys::OpenKeys;
use super::{MAX_DEPTH, ShapeTable, TERM_VERSION, TermError, Translate, tag};
use crate::pid::{LOCAL_BITS, LOCAL_MASK, Pid};

/// Checks terms. Reuse one checker: it keeps its lists of keys, so that checking does not allocate.
#[derive(Debug, Default)]
pub struct TermChecker {
    keys: OpenKeys,
    collisions: Collisions,
}

impl TermChecker {
    /// Validates `term`, version byte included, and rewrites the PIDs and references in it.
    ///
    /// Cost: one pass, a second one over the number keys of maps and sets, and n log n comparisons for the n keys of
    /// an object written without a shape. After an error the bytes may be partly rewritten.
    ///
    /// # Errors
    /// The first thing found wrong.
    #[inline]
    pub fn check<T: Translate>(
        &mut self,
        term: &mut [u8],
        shapes: &ShapeTable,
        translate: &T,
    ) -> Result<(), TermError> {
        let mut walk = Walk {
            input: Cursor::new(term),
            shapes,
            translate,
            keys: &mut self.keys,
            collisions: &mut self.collisions,
            memory: 0,
        };
        walk.collisions.reset();
        let version = walk.input.u8()?;
        if version != TERM_VERSION {
            return Err(TermError::UnknownVersion(version));
        }
        let verdict = walk.values(1, 0).and_then(|()| walk.take_memory(0));
        let is_complete = walk.input.left() == 0;
        self.keys.reset();
        verdict?;
        if is_complete {
            Ok(())
        } else {
            Err(TermError::TrailingBytes)
        }
    }
}

struct Walk<'a, T> {
    input: Cursor<'a>,
    shapes: &'a ShapeTable,
    translate: &'a T,
    keys: &'a mut OpenKeys,
    collisions: &'a mut Collisions,
    /// Estimated bytes that the values so far take on the JavaScript heap.
    memory: u64,
}

impl<T: Translate> Walk<'_, T> {
    /// Checks `count` values that stand one after the other inside `depth` containers.
    fn values(&mut self, count: usize, depth: usize) -> Result<(), TermError> {
        for _ in 0..count {
            match self.input.u8()? {
                tag::SMALL_INT..=tag::SMALL_INT_LAST
                | tag::TRUE
                | tag::FALSE
                | tag::UNDEFINED
                | tag::NULL => {}
                tag @ tag::SHORT_STRING..=tag::SHORT_STRING_LAST => {
                    self.memory += memory::STRING;
                    self.input.text(usize::from(tag - tag::SHORT_STRING))?;
                }
                tag::INT8 => self.input.skip(1)?,
                tag::INT16 => self.input.skip(2)?,
                tag::INT32 => self.input.skip(4)?,
                tag::INT | tag::FLOAT => {
                    self.memory += memory::NUMBER;
                    self.input.skip(8)?;
                }
                tag::DATE => {
                    self.memory += memory::DATE;
                    self.input.skip(8)?;
                }
                tag::SHAPED => {
                    let id = self.input.u16()?;
                    let count = self.shapes.key_count(id).ok_or(TermError::UnknownShape)?;
                    self.list(count, depth, memory::SHAPED)?;
                }
                tag::STRING8 => {
                    let length = usize::from(self.input.u8()?);
                    self.memory += memory::STRING;
                    self.input.text(length)?;
                }
                tag::STRING => {
                    let length = self.input.u32()?;
                    self.memory += memory::STRING;
                    self.input.text(length)?;
                    if length > MAX_STRING_BYTES {
                        return Err(TermError::StringTooLong);
                    }
                }
                tag::PID => {
                    self.memory += memory::ADDRESS;
                    self.pid()?;
                }
                tag::REF => {
                    self.memory += memory::ADDRESS;
                    self.reference()?;
                }
                tag::LIST8 => {
                    let count = usize::from(self.input.u8()?);
                    self.list(count, depth, memory::LIST)?;
                }
                tag::LIST => {
                    let count = self.input.u32()?;
                    self.list(count, depth, memory::LIST)?;
                }
                tag::SET => {
                    let count = self.input.u32()?;
                    self.enter(count, 1, depth, memory::SET, memory::SET_ENTRY)?;
                    self.keyed(count, 1, depth)?;
                }
                tag::MAP => {
                    let count = self.input.u32()?;
                    self.enter(count, 2, depth, memory::MAP, memory::MAP_ENTRY)?;
                    self.keyed(count, 2, depth)?;
                }
                tag::OBJECT => {
                    let count = self.input.u32()?;
                    self.enter(count, 3, depth, memory::OBJECT, memory::KEY)?;
                    self.object(count, depth)?;
                }
                tag::BINARY8 => {
                    let length = usize::from(self.input.u8()?);
                    self.take_memory(memory::BYTES)?;
                    self.input.skip(length)?;
                }
                tag::BINARY => {
                    let length = self.input.u32()?;
                    self.take_memory(memory::BYTES)?;
                    self.input.skip(length)?;
                }
                tag::BIGINT => self.big_int()?,
                tag::VIEW => self.view()?,
                tag::STRUCT => self.fields(depth)?,
                unknown => return Err(TermError::UnknownTag(unknown)),
            }
        }
        Ok(())
    }

    fn list(&mut self, count: usize, depth: usize, bytes: u64) -> Result<(), TermError> {
        self.enter(count, 1, depth, bytes, memory::SLOT)?;
        self.values(count, depth + 1)
    }

    /// A container of `count` keys, each followed by `width - 1` values.
    fn keyed(&mut self, count: usize, width: usize, depth: usize) -> Result<(), TermError> {
        if count <= FEW_ENTRIES {
            return self.values(count * width, depth + 1);
        }
        let base = self.collisions.begin();
        for _ in 0..count {
            let start = self.input.at();
            self.values(1, depth + 1)?;
            self.collisions.note(self.input.since(start));
            self.values(width - 1, depth + 1)?;
        }
        self.collisions.end(base, count)
    }

    /// Adds to the estimate and checks its limit. Scalars add without a check: the next container, or the end of the
    /// term, checks the sum.
    #[inline]
    fn take_memory(&mut self, bytes: u64) -> Result<(), TermError> {
        self.memory += bytes;
        if self.memory > MAX_TERM_MEMORY {
            return Err(TermError::TooMuchMemory);
        }
        Ok(())
    }

    /// Checks the header of a container: its depth, count and memory. Each entry occupies at least `least` bytes of the
    /// term, so a count that the remaining bytes cannot hold is an error, and products of counts cannot overflow. In
    /// JavaScript the container takes `bytes`, and `entry` more for each entry.
    #[inline]
    fn enter(
        &mut self,
        count: usize,
        least: usize,
        depth: usize,
        bytes: u64,
        entry: u64,
    ) -> Result<(), TermError> {
        if depth >= MAX_DEPTH {
            return Err(TermError::TooDeep);
        }
        if count > self.input.left() / least {
            return Err(TermError::CountTooLarge);
        }
        if count > MAX_ENTRIES {
            return Err(TermError::TooManyEntries);
        }
        self.take_memory(bytes + count as u64 * entry)
    }

    fn object(&mut self, count: usize, depth: usize) -> Result<(), TermError> {
        let base = self.keys.begin();
        for _ in 0..count {
            let length = self.input.u16()?;
            let at = self.input.at();
            self.input.text(usize::from(length))?;
            self.keys.note(self.input.bytes(), at, length)?;
            self.values(1, depth + 1)?;
        }
        self.keys.end(self.input.bytes(), base)
    }

    fn fields(&mut self, depth: usize) -> Result<(), TermError> {
        self.name()?;
        let count = usize::from(self.input.u16()?);
        self.enter(count, 3, depth, memory::STRUCT, memory::KEY)?;
        for _ in 0..count {
            self.name()?;
            self.values(1, depth + 1)?;
        }
        Ok(())
    }

    fn name(&mut self) -> Result<(), TermError> {
        let length = self.input.u16()?;
        self.input.text(usize::from(length))
    }

    fn big_int(&mut self) -> Result<(), TermError> {
        let sign = self.input.u8()?;
        let length = self.input.u32()?;
        self.memory += memory::NUMBER + length as u64;
        let magnitude = self.input.take(length)?;
        if length > MAX_BIGINT_BYTES {
            return Err(TermError::BigIntTooLarge);
        }
        let is_canonical = match magnitude.last() {
            None => sign == 0,
            Some(&top) => sign <= 1 && top != 0,
        };
        if is_canonical {
            Ok(())
        } else {
            Err(TermError::BadBigInt)
        }
    }

    fn view(&mut self) -> Result<(), TermError> {
        self.take_memory(memory::BYTES)?;
        let element = tag::view_element_bytes(self.input.u8()?).ok_or(TermError::BadView)?;
        let length = self.input.u32()?;
        if !length.is_multiple_of(element) {
            return Err(TermError::BadView);
        }
        self.input.skip(length)
    }

    fn pid(&mut self) -> Result<(), TermError> {
        let place = self.input.place()?;
        let bits = u64::from_le_bytes(*place);
        let nc = (bits >> LOCAL_BITS) as u32;
        let ours = self.translate.translate(nc).ok_or(TermError::UnannouncedPid)?;
        *place = Pid::new(ours, bits & LOCAL_MASK).bits().to_le_bytes();
        Ok(())
    }

    fn reference(&mut self) -> Result<(), TermError> {
        self.pid()?;
        self.input.skip(8)
    }
}
