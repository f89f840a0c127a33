//! Accepts incoming connections. At the cap of handshakes, one that [`super::admission`] chooses makes room.

use std::time::{Duration, Instant};

use super::IoLoop;
use super::deadlines::Due;
use super::handshake::Handshake;

/// When to look again for connections that could not be accepted.
const RETRY: Duration = Duration::from_secs(1);
/// Most connections accepted before sessions and handshakes have their turn.
const ACCEPT_TURN: usize = 64;

impl IoLoop {
    pub(super) fn accept_all(&mut self) {
        self.has_backlog = false;
        // A part of the cap, so that a connection has several turns before others could push it out.
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
                    // No descriptor is left, and no event will announce the waiting connections.
                    self.next_sweep = self.next_sweep.min(Instant::now() + RETRY);
                    return;
                }
            }
        }
        self.has_backlog = true;
    }

    /// A time limit of an incoming handshake is over: that of the whole, or that of its stage.
    pub(super) fn handshake_expired(&mut self, token: usize) {
        let Some(limit) = self.handshakes.get(&token).and_then(Handshake::limit) else {
            // A dial has a deadline of its own, for all its addresses.
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
