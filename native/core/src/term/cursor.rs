//! Reading a term that is rewritten while it is read.

use super::TermError;

/// A cursor over a term. Reading past the end is an error, never a panic.
pub(super) struct Cursor<'a> {
    bytes: &'a mut [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a mut [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// The whole term.
    #[inline]
    pub(super) fn bytes(&self) -> &[u8] {
        self.bytes
    }

    /// Where the cursor stands.
    #[inline]
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// Bytes behind the cursor.
    #[inline]
    pub(super) fn left(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// What was read since the cursor stood at `start`.
    #[inline]
    pub(super) fn since(&self, start: usize) -> &[u8] {
        self.bytes.get(start..self.at).unwrap_or_default()
    }

    /// The next eight bytes, to be rewritten in place.
    #[inline]
    pub(super) fn place(&mut self) -> Result<&mut [u8; 8], TermError> {
        let rest = self.bytes.get_mut(self.at..).ok_or(TermError::Truncated)?;
        let place = rest.first_chunk_mut().ok_or(TermError::Truncated)?;
        self.at += 8;
        Ok(place)
    }

    #[inline]
    pub(super) fn text(&mut self, length: usize) -> Result<(), TermError> {
        let text = self.take(length)?;
        if text.is_ascii() || std::str::from_utf8(text).is_ok() {
            Ok(())
        } else {
            Err(TermError::BadUtf8)
        }
    }

    #[inline]
    pub(super) fn skip(&mut self, count: usize) -> Result<(), TermError> {
        self.take(count).map(drop)
    }

    #[inline]
    pub(super) fn take(&mut self, count: usize) -> Result<&[u8], TermError> {
        let end = self.at.checked_add(count).ok_or(TermError::Truncated)?;
        let taken = self.bytes.get(self.at..end).ok_or(TermError::Truncated)?;
        self.at = end;
        Ok(taken)
    }

    #[inline]
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], TermError> {
        let rest = self.bytes.get(self.at..).ok_or(TermError::Truncated)?;
        let taken = *rest.first_chunk().ok_or(TermError::Truncated)?;
        self.at += N;
        Ok(taken)
    }

    #[inline]
    pub(super) fn u8(&mut self) -> Result<u8, TermError> {
        let byte = *self.bytes.get(self.at).ok_or(TermError::Truncated)?;
        self.at += 1;
        Ok(byte)
    }

    #[inline]
    pub(super) fn u16(&mut self) -> Result<u16, TermError> {
        self.array().map(u16::from_le_bytes)
    }

    #[inline]
    pub(super) fn u32(&mut self) -> Result<usize, TermError> {
        Ok(u32::from_le_bytes(self.array()?) as usize)
    }
}
