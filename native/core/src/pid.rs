//! How PIDs and references are packed: `slot 16 | creation 8 | scheduler 6 | serial 34`.
//!
//! `nc` ("numbered creation") is `slot · 256 + creation`: one node's own number for a (node name, incarnation)
//! pair. Number 0 is the node itself. The same bits mean different actors on different nodes, so the receiver
//! of a PID rewrites its number (see [`crate::frame::SessionTables`]).

use std::fmt;

/// Bits of the local id.
pub const LOCAL_BITS: u32 = 40;
/// Bits of the serial, the lower part of the local id.
pub const SERIAL_BITS: u32 = 34;
/// Mask of the local id.
pub const LOCAL_MASK: u64 = (1 << LOCAL_BITS) - 1;
/// Mask of the serial.
pub const SERIAL_MASK: u64 = (1 << SERIAL_BITS) - 1;
/// The greatest number of a (name, incarnation) pair.
pub const MAX_NC: u32 = 0xFF_FFFF;
/// The greatest scheduler index.
pub const MAX_SCHEDULER: u8 = 0x3F;
/// Bytes of a reference on the wire.
pub const REF_BYTES: usize = 16;

/// An actor's address in one node's numbering.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Pid(u64);

impl Pid {
    /// Takes the 64 bits as they are: every pattern is a PID.
    #[must_use]
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// Packs a number and a local id. Bits beyond 24 and 40 are cut off.
    #[must_use]
    pub const fn new(nc: u32, local: u64) -> Self {
        Self(((nc & MAX_NC) as u64) << LOCAL_BITS | (local & LOCAL_MASK))
    }

    /// Packs the four parts. Bits beyond a part's width are cut off.
    #[must_use]
    pub const fn pack(slot: u16, creation: u8, scheduler: u8, serial: u64) -> Self {
        let local = ((scheduler & MAX_SCHEDULER) as u64) << SERIAL_BITS | (serial & SERIAL_MASK);
        Self::new((slot as u32) << 8 | creation as u32, local)
    }

    /// The 64 bits.
    #[must_use]
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// Slot and creation together: `slot · 256 + creation`.
    #[must_use]
    pub const fn nc(self) -> u32 {
        (self.0 >> LOCAL_BITS) as u32
    }

    /// The node's slot.
    #[must_use]
    pub const fn slot(self) -> u16 {
        (self.0 >> 48) as u16
    }

    /// The creation within the slot.
    #[must_use]
    pub const fn creation(self) -> u8 {
        (self.0 >> LOCAL_BITS) as u8
    }

    /// Scheduler and serial together: 40 bits.
    #[must_use]
    pub const fn local(self) -> u64 {
        self.0 & LOCAL_MASK
    }

    /// The isolate that owns the actor.
    #[must_use]
    pub const fn scheduler(self) -> u8 {
        (self.local() >> SERIAL_BITS) as u8
    }

    /// The actor's serial within its isolate.
    #[must_use]
    pub const fn serial(self) -> u64 {
        self.0 & SERIAL_MASK
    }

    /// Whether the PID belongs to the node whose numbering it is in.
    #[must_use]
    pub const fn is_local(self) -> bool {
        self.nc() == 0
    }

    /// The same actor under another number.
    #[must_use]
    pub const fn with_nc(self, nc: u32) -> Self {
        Self::new(nc, self.local())
    }
}

/// `<0.N>` for an actor of this node, `<slot.N.creation>` for one of another node; N is the 40-bit local id.
impl fmt::Display for Pid {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_local() {
            write!(out, "<0.{}>", self.local())
        } else {
            write!(out, "<{}.{}.{}>", self.slot(), self.local(), self.creation())
        }
    }
}

/// A reference: unique to its owner's node. 16 bytes on the wire.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Ref {
    /// The actor that made it.
    pub owner: Pid,
    /// 64 bits that no other actor can guess.
    pub id: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn shows_own_and_foreign_pids_differently() {
        assert_eq!(Pid::pack(0, 0, 0, 7).to_string(), "<0.7>");
        assert_eq!(Pid::pack(3, 9, 0, 7).to_string(), "<3.7.9>");
        assert_eq!(
            Pid::pack(0, 0, 1, 7).to_string(),
            format!("<0.{}>", (1_u64 << 34) + 7)
        );
    }

    #[test]
    fn cuts_off_what_a_part_cannot_hold() {
        assert_eq!(Pid::new(u32::MAX, u64::MAX), Pid::from_bits(u64::MAX));
        assert_eq!(Pid::pack(1, 1, 0xFF, u64::MAX).slot(), 1);
        assert_eq!(Pid::pack(1, 1, 0xFF, u64::MAX).creation(), 1);
    }

    proptest! {
        #[test]
        fn packs_and_unpacks_every_pattern(bits in any::<u64>()) {
            let pid = Pid::from_bits(bits);
            prop_assert_eq!(Pid::pack(pid.slot(), pid.creation(), pid.scheduler(), pid.serial()), pid);
            prop_assert_eq!(Pid::new(pid.nc(), pid.local()), pid);
            prop_assert_eq!(pid.with_nc(0).is_local(), true);
        }
    }
}
