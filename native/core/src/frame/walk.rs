//! Reads the fields of a body and rewrites every PID in it.

use super::MAX_NAME_BYTES;
use super::error::PeerMisbehaved;
use super::session_tables::Translation;
use crate::pid::{LOCAL_BITS, LOCAL_MASK, Pid};
use crate::term::Translate;

/// A cursor over a body that is rewritten while it is read.
pub(super) struct Walk<'a> {
    rest: &'a mut [u8],
}

impl<'a> Walk<'a> {
    pub(super) fn new(body: &'a mut [u8]) -> Self {
        Self { rest: body }
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn take(&mut self, count: usize) -> Result<&'a mut [u8], PeerMisbehaved> {
        let rest = std::mem::take(&mut self.rest);
        let (taken, rest) = rest
            .split_at_mut_checked(count)
            .ok_or(PeerMisbehaved::Truncated)?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<&'a mut [u8; N], PeerMisbehaved> {
        let rest = std::mem::take(&mut self.rest);
        let (taken, rest) = rest.split_first_chunk_mut().ok_or(PeerMisbehaved::Truncated)?;
        self.rest = rest;
        Ok(taken)
    }

    pub(super) fn all(&mut self) -> &'a mut [u8] {
        std::mem::take(&mut self.rest)
    }

    pub(super) fn u8(&mut self) -> Result<u8, PeerMisbehaved> {
        self.array::<1>().map(|&mut [byte]| byte)
    }

    pub(super) fn bytes(&mut self) -> Result<(), PeerMisbehaved> {
        let length = u32::from_le_bytes(*self.array()?);
        let length = usize::try_from(length).map_err(|_| PeerMisbehaved::Truncated)?;
        self.take(length).map(drop)
    }

    pub(super) fn from(&mut self, translation: &Translation) -> Result<(), PeerMisbehaved> {
        let place = self.array::<8>()?;
        let pid = Pid::from_bits(u64::from_le_bytes(*place));
        if !pid.is_local() {
            return Err(PeerMisbehaved::NotFromSender);
        }
        *place = pid.with_nc(translation.sender).bits().to_le_bytes();
        Ok(())
    }

    pub(super) fn pid(&mut self, translation: &Translation) -> Result<Pid, PeerMisbehaved> {
        rewrite_pid(self.array()?, translation)
    }

    pub(super) fn reference(&mut self, translation: &Translation) -> Result<Pid, PeerMisbehaved> {
        let owner = rewrite_pid(self.array()?, translation)?;
        self.array::<8>()?;
        Ok(owner)
    }

    pub(super) fn name(&mut self) -> Result<(), PeerMisbehaved> {
        let length = usize::from(u16::from_le_bytes(*self.array()?));
        let name = self.take(length)?;
        let is_legal = (1..=MAX_NAME_BYTES).contains(&length) && std::str::from_utf8(name).is_ok();
        if is_legal {
            Ok(())
        } else {
            Err(PeerMisbehaved::BadName)
        }
    }

    pub(super) fn names(&mut self) -> Result<(), PeerMisbehaved> {
        let count = u16::from_le_bytes(*self.array()?);
        (0..count).try_for_each(|_| self.name())
    }
}

#[inline]
pub(super) fn rewrite_pid(place: &mut [u8; 8], translation: &Translation) -> Result<Pid, PeerMisbehaved> {
    let bits = u64::from_le_bytes(*place);
    let nc = translation
        .translate((bits >> LOCAL_BITS) as u32)
        .ok_or(PeerMisbehaved::Unannounced)?;
    let pid = Pid::new(nc, bits & LOCAL_MASK);
    *place = pid.bits().to_le_bytes();
    Ok(pid)
}
