//! Handshakes that failed: tells the peer, the dial, and JavaScript.
//!
//! Any program can cause a refusal, and each report to JavaScript is a log line, so reports are rate-limited: a burst, then one
//! a second. Refusals that were not reported are counted; the next report carries the count and comes at most a second after
//! the last refusal, unless an inbox is full.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use snowmesh_core::handshake::{HandshakeError, RefuseCode};

use super::IoLoop;
use super::handshake::{Handshake, Role};
use crate::event::{Body, ConnectStatus, REFUSED};

/// The most reports without a pause.
const BURST: u32 = 10;
/// After a burst, one report per interval.
const INTERVAL: Duration = Duration::from_secs(1);

/// A refused handshake.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Refused {
    /// The legal name that the peer claimed, or nothing.
    name: String,
    /// Where it came from; empty when the connection had broken already.
    address: String,
    reason: String,
    status: ConnectStatus,
    /// The number of refusals before this one that were not reported.
    unreported: u32,
}

#[derive(Debug)]
pub(super) struct Refusals {
    /// Reports that may be made now.
    left: u32,
    refilled: Instant,
    /// The last refusal, if it is not reported yet; it counts those before it.
    held: Option<Refused>,
}

impl Refusals {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            left: BURST,
            refilled: now,
            held: None,
        }
    }

    /// Notes a refusal, to be reported by [`Self::due`]: the last one, or the last one for a taken name.
    fn note(&mut self, name: &str, address: IpAddr, reason: &str, status: ConnectStatus) {
        let unreported = self
            .held
            .as_ref()
            .map_or(0, |held| held.unreported.saturating_add(1));
        // Only a member can cause this one, and strangers cause the others: they must not hide it.
        if let Some(held) = &mut self.held
            && held.status == ConnectStatus::NameTaken
            && status != ConnectStatus::NameTaken
        {
            held.unreported = unreported;
            return;
        }
        self.held = Some(Refused {
            name: name.to_owned(),
            address: if address.is_unspecified() {
                String::new()
            } else {
                address.to_canonical().to_string()
            },
            reason: reason.to_owned(),
            status,
            unreported,
        });
    }

    /// Takes the last refusal if it may be reported now. While an inbox is full, nothing may be reported.
    fn due(&mut self, now: Instant, is_inbox_full: bool) -> Option<Refused> {
        let passed = now.saturating_duration_since(self.refilled).as_secs();
        if passed > 0 {
            let gained = u32::try_from(passed).unwrap_or(u32::MAX);
            self.left = self.left.saturating_add(gained).min(BURST);
            self.refilled = now;
        }
        if self.left == 0 || is_inbox_full {
            return None;
        }
        let refused = self.held.take()?;
        self.left -= 1;
        Some(refused)
    }

    /// When to call [`Self::due`] again; `None` when every refusal is reported.
    pub(super) fn next(&self) -> Option<Instant> {
        self.held.as_ref().map(|_| self.refilled + INTERVAL)
    }
}

impl IoLoop {
    /// Ends a handshake that failed: sends REFUSE to the peer and answers the dial, or reports it in a REFUSED event.
    pub(super) fn refuse(&mut self, mut handshake: Handshake, error: &HandshakeError) {
        let address = handshake.address();
        if let Some(refusal) = error.refusal() {
            let sealed = handshake.channel.seal(&refusal.encode());
            handshake.channel.finish();
            if sealed.is_ok() && handshake.channel.send(&handshake.stream).is_ok() {
                let _ = handshake.stream.shutdown(std::net::Shutdown::Write);
            }
        }
        if let Role::Accept(Some(acceptor)) = &handshake.role
            && !matches!(error, HandshakeError::Refused(_))
        {
            let claimed = acceptor.claimed_name().unwrap_or_default();
            self.refusals
                .note(claimed, address, &error.to_string(), status_of(error));
            self.report_refusal();
        }
        self.fail_dial_with(&handshake, error);
    }

    /// Answers the dial that a failed handshake belongs to.
    pub(super) fn fail_dial_with(&mut self, handshake: &Handshake, error: &HandshakeError) {
        self.fail_dial(handshake, status_of(error), error.to_string());
    }

    /// Reports the last refusal to lane 0, if that is due.
    pub(super) fn report_refusal(&mut self) {
        let is_full = self.node.is_inbound_blocked();
        if let Some(Refused {
            name,
            address,
            reason,
            status,
            unreported,
        }) = self.refusals.due(Instant::now(), is_full)
        {
            let body = Body::new()
                .text(&name)
                .text(&address)
                .text(&reason)
                .u8(status as u8)
                .u32(unreported);
            self.node.push_to_first(0, REFUSED, body.bytes());
        }
    }
}

/// The status of an error in the answer to a dial and in a report.
fn status_of(error: &HandshakeError) -> ConnectStatus {
    match error {
        HandshakeError::BadProof => ConnectStatus::Auth,
        HandshakeError::IllegalName(_)
        | HandshakeError::OtherKey
        | HandshakeError::OwnName
        | HandshakeError::WrongName { .. } => ConnectStatus::WrongName,
        HandshakeError::Busy => ConnectStatus::Refused,
        HandshakeError::NameTaken => ConnectStatus::NameTaken,
        HandshakeError::Refused(refusal) => match refusal.code {
            RefuseCode::BadProof => ConnectStatus::Auth,
            RefuseCode::BadVersion | RefuseCode::Incompatible => ConnectStatus::Incompatible,
            RefuseCode::IllegalName | RefuseCode::OtherKey | RefuseCode::WrongName => {
                ConnectStatus::WrongName
            }
            RefuseCode::NameTaken => ConnectStatus::NameTaken,
            RefuseCode::Stopping => ConnectStatus::Stopping,
            _ => ConnectStatus::Refused,
        },
        _ => ConnectStatus::Incompatible,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
    const NOWHERE: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

    #[test]
    fn three_hundred_refusals_give_a_few_reports_that_count_the_others() {
        let start = Instant::now();
        let mut refusals = Refusals::new(start);
        let at_once: Vec<_> = (0..300)
            .filter_map(|_| {
                refusals.note("a@x:1", HERE, "bad", ConnectStatus::Auth);
                refusals.due(start, false)
            })
            .collect();
        assert_eq!(at_once.len(), 10);
        assert!(at_once.iter().all(|refused| refused.unreported == 0));
        assert_eq!(refusals.due(start, false), None);
        assert_eq!(refusals.next(), Some(start + INTERVAL));
        assert_eq!(refusals.due(start + INTERVAL, true), None, "the inbox is full");
        let last = refusals.due(start + INTERVAL, false).expect("a second is over");
        assert_eq!((last.unreported, last.name.as_str()), (289, "a@x:1"));
        assert_eq!(last.address, "127.0.0.1");
        assert_eq!(refusals.next(), None);
        refusals.note("a@x:1", HERE, "bad", ConnectStatus::Auth);
        assert_eq!(refusals.due(start + INTERVAL, false), None);
        refusals.note("b@x:1", NOWHERE, "worse", ConnectStatus::NameTaken);
        let next = refusals.due(start + INTERVAL * 3, false).expect("one more");
        assert_eq!((next.unreported, next.name.as_str()), (1, "b@x:1"));
        assert_eq!(
            (next.status, next.address.as_str()),
            (ConnectStatus::NameTaken, "")
        );
    }

    #[test]
    fn wrong_proofs_do_not_hide_that_a_name_is_taken() {
        let start = Instant::now();
        let mut refusals = Refusals::new(start);
        for _ in 0..10 {
            refusals.note("a@x:1", HERE, "bad", ConnectStatus::Auth);
            assert!(refusals.due(start, false).is_some());
        }
        refusals.note("a@x:1", HERE, "bad", ConnectStatus::Auth);
        refusals.note("b@x:1", HERE, "worse", ConnectStatus::NameTaken);
        for _ in 0..300 {
            refusals.note("a@x:1", HERE, "bad", ConnectStatus::Auth);
        }
        let next = refusals.due(start + INTERVAL, false).expect("a second is over");
        assert_eq!((next.unreported, next.name.as_str()), (301, "b@x:1"));
        assert_eq!(next.status, ConnectStatus::NameTaken);
    }
}
