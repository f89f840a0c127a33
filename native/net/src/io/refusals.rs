//! Handshakes that failed: what the peer is told, what the dialling side, and what JavaScript.
//!
//! Reports to JavaScript are limited, since any program can cause a refusal and each report is a log line: a few at once, then one a second. What
//! was not reported is counted, and the count goes with the next report, at the latest a second after the last refusal.

use std::time::{Duration, Instant};

use snowmesh_core::handshake::{HandshakeError, RefuseCode};

use super::IoLoop;
use super::handshake::{Handshake, Role};
use crate::event::{Body, ConnectStatus, REFUSED};

/// Reports that may follow each other without a pause.
const BURST: u32 = 10;
/// After a burst one report may follow in each such interval.
const INTERVAL: Duration = Duration::from_secs(1);

/// A refused handshake.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Refused {
    /// The legal name that the peer claimed, or nothing.
    name: String,
    reason: String,
    status: ConnectStatus,
    /// Refusals before this one that were not reported.
    unreported: u32,
}

#[derive(Debug)]
pub(super) struct Refusals {
    /// Reports that may be made now.
    left: u32,
    refilled: Instant,
    /// The last refusal that was not reported, with the count of those before it.
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

    /// Notes a refusal, to be reported by [`Self::due`].
    fn note(&mut self, name: &str, reason: &str, status: ConnectStatus) {
        let unreported = self
            .held
            .take()
            .map_or(0, |held| held.unreported.saturating_add(1));
        self.held = Some(Refused {
            name: name.to_owned(),
            reason: reason.to_owned(),
            status,
            unreported,
        });
    }

    /// The last refusal, if it is not reported yet and may be. Nothing may while an inbox is full.
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

    /// When to ask [`Self::due`]; `None` while nothing is held back.
    pub(super) fn next(&self) -> Option<Instant> {
        self.held.as_ref().map(|_| self.refilled + INTERVAL)
    }
}

impl IoLoop {
    /// Ends a handshake that failed: sends REFUSE to the peer, reports it to the dialling side or in a REFUSED event.
    pub(super) fn refuse(&mut self, mut handshake: Handshake, error: &HandshakeError) {
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
            self.refusals.note(claimed, &error.to_string(), status_of(error));
            self.report_refusal();
        }
        self.fail_for(&handshake, error);
    }

    /// Answers the dial that a failed handshake belongs to.
    pub(super) fn fail_for(&mut self, handshake: &Handshake, error: &HandshakeError) {
        self.fail(handshake, status_of(error), error.to_string());
    }

    /// Tells lane 0 of the last refusal, if that is due.
    pub(super) fn report_refusal(&mut self) {
        let is_full = self.node.is_inbound_blocked();
        if let Some(Refused {
            name,
            reason,
            status,
            unreported,
        }) = self.refusals.due(Instant::now(), is_full)
        {
            let body = Body::new()
                .text(&name)
                .text(&reason)
                .u8(status as u8)
                .u32(unreported);
            self.node.tell_first(0, REFUSED, body.bytes());
        }
    }
}

/// The kind of an error, as the dialling side and the report have it.
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

    #[test]
    fn three_hundred_refusals_give_a_few_reports_that_count_the_others() {
        let start = Instant::now();
        let mut refusals = Refusals::new(start);
        let at_once: Vec<_> = (0..300)
            .filter_map(|_| {
                refusals.note("a@x:1", "bad", ConnectStatus::Auth);
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
        assert_eq!(refusals.next(), None);
        refusals.note("a@x:1", "bad", ConnectStatus::Auth);
        assert_eq!(refusals.due(start + INTERVAL, false), None);
        refusals.note("b@x:1", "worse", ConnectStatus::NameTaken);
        let next = refusals.due(start + INTERVAL * 3, false).expect("one more");
        assert_eq!((next.unreported, next.name.as_str()), (1, "b@x:1"));
        assert_eq!(next.status, ConnectStatus::NameTaken);
    }
}
