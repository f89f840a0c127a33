//! Accepts incoming connections. At the cap of handshakes it first closes the one that [`super::admission`] chooses.

use std::time::{Duration, Instant};

use super::IoLoop;
use super::deadlines::Due;
use super::handshake::Handshake;

/// When to try again after a connection could not be accepted.
const RETRY: Duration = Duration::from_secs(1);
/// The most connections accepted before sessions and handshakes have their turn.
const ACCEPT_TURN: usize = 64;

impl IoLoop {
    pub(super) fn accept_all(&mut self) {
        self.has_backlog = false;
        // A fraction of the cap, so that a connection gets several turns before new ones can evict it.
        let turn = (self.node.options.max_handshakes as usize / 8).clamp(1, ACCEPT_TURN);
        for _ in 0..turn {
            let Some(listener) = &self.listener else { return };
            match listener.accept() {
                Ok((stream, address)) => {
                    if let Some(token) = self.admission.victim() {
                        self.drop_handshake(token);
                    }
                    // A failure concerns this connection alone; it is closed by being dropped.
                    let _ = self.begin_accept(stream, address.ip());
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return,
                Err(_) => {
                    // For example, no descriptor is left. No event announces the waiting connections again.
                    self.next_sweep = self.next_sweep.min(Instant::now() + RETRY);
                    return;
                }
            }
        }
        self.has_backlog = true;
    }

    /// Closes an incoming handshake whose time limit is over, that of the whole or that of its stage; otherwise sets the
    /// next deadline.
    pub(super) fn handshake_expired(&mut self, token: usize) {
        let Some(limit) = self.handshakes.get(&token).and_then(Handshake::limit) else {
            // A dial has its own deadline, which covers all its addresses.
            return;
        };
        let until = limit.until(self.node.options.handshake());
        if until <= Instant::now() {
            self.drop_handshake(token);
        } else {
            self.deadlines.set(until, Due::Handshake(token));
        }
    }
}
