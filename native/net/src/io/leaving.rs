//! Ends sessions, and the node, in order.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::IoLoop;
use crate::event::{DownCause, STOPPED};
use crate::node::session::Session;

/// How long an orderly end waits until the peer has read the rest.
const DRAIN: Duration = Duration::from_secs(1);

impl IoLoop {
    /// Ends a session in order: announces its end at once, then sends what still waits.
    pub(super) fn end_in_order(&mut self, session: Arc<Session>, cause: DownCause) {
        self.unpumped.remove(&session.id());
        session.leave_in_order(&self.node, cause);
        if !session.finish_leaving(&self.node, false) {
            self.leaving.push((session, Instant::now() + DRAIN));
        }
    }

    pub(super) fn begin_stop(&mut self) {
        self.stopping = true;
        if let Some(mut listener) = self.listener.take() {
            let _ = self.poll.registry().deregister(&mut listener);
        }
        self.drop_handshakes();
        self.refuse_dials();
        for session in self.node.sessions() {
            self.end_in_order(session, DownCause::Stopping);
        }
    }

    /// The last thing the thread does.
    pub(super) fn end_all(&mut self) {
        for session in self.node.sessions() {
            session.end(&self.node, DownCause::Stopping, "");
        }
        self.node.broadcast(0, STOPPED, &[]);
    }
}
