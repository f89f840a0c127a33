//! The fields of each tag's body: the table in section 6 of docs/wire.md.

use super::tag;

/// One field of a body.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Field {
    /// `u32` length and as many bytes of any value.
    Bytes,
    /// A PID that must belong to the sender.
    From,
    /// MONITOR's kind and what it chooses: 0 a PID, 1 a name.
    MonitorTarget,
    /// A name of 1 to 255 bytes.
    Name,
    /// `u16` count and as many names.
    Names,
    /// A PID that routing does not look at.
    Pid,
    /// A reference that routing does not look at.
    Ref,
    /// The reference whose owner the frame goes to.
    RefTo,
    /// A term that fills the rest.
    Term,
    /// The PID that the frame goes to.
    To,
    /// One byte of any value.
    U8,
    /// Four bytes of any value.
    U32,
    /// Eight bytes of any value.
    U64,
}

/// The fields of a tag; `None` for tags that [`super::check_body`] reads in their own way, and for unknown ones.
pub(super) const fn layout(tag: u8) -> Option<&'static [Field]> {
    use Field::{Bytes, From, MonitorTarget, Name, Names, Pid, Ref, RefTo, Term, To, U8, U32, U64};
    Some(match tag {
        tag::SEND => &[To, Term],
        tag::REG_SEND => &[Name, Term],
        tag::PEER_LIST => &[Names],
        tag::LINK | tag::SPAWN_ACK => &[From, To],
        tag::UNLINK | tag::UNLINK_ACK => &[From, To, U64],
        tag::EXIT | tag::EXIT2 => &[From, To, Term],
        tag::MONITOR => &[From, Ref, MonitorTarget],
        tag::DEMONITOR => &[From, Ref],
        tag::MONITOR_EXIT => &[To, Ref, Term],
        tag::SPAWN => &[From, Ref, U8, Ref, Name, Term],
        tag::SPAWN_REPLY => &[To, Ref, U8, Pid, Term],
        tag::GLOBAL_REGISTER | tag::GLOBAL_UNREGISTER | tag::GLOBAL_SYNC => &[Term],
        tag::ROOM_BROADCAST => &[Name, Bytes, Term],
        tag::SYSTEM => &[Name, Term],
        tag::CALL => &[From, Ref, U32, To, Term],
        tag::REG_CALL => &[From, Ref, U32, Name, Term],
        tag::REPLY => &[RefTo, U8, Term],
        tag::ALIAS_SEND => &[RefTo, Term],
        _ => return None,
    })
}
