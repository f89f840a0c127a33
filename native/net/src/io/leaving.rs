//! Ends sessions, and the node, in order.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::IoLoop;
use crate::event::{DownCause, STOPPED};
use crate::node::session::{Progress, Session};

/// How long an orderly end waits for a peer that takes nothing of the rest.
const DRAIN: Duration = Duration::from_secs(1);
/// How long it waits in all for one that reads slower than the rest is sent: less than the `grace` of `stopOnSignals`.
const DRAIN_IN_ALL: Duration = Duration::from_secs(4);

/// A session that ends in order.
#[derive(Debug)]
pub(super) struct Leaving {
    session: Arc<Session>,
    until: Instant,
    /// It is not moved beyond this.
    until_at_most: Instant,
    /// The bytes that wait after its last turn.
    waiting: usize,
    /// What its last turn left to do.
    left: Progress,
    is_socket_ready: bool,
}

impl Leaving {
    pub(super) fn until(&self) -> Instant {
        self.until
    }

    /// Whether it has something to do in the next turn.
    pub(super) fn is_due(&self) -> bool {
        self.is_socket_ready || self.left != Progress::Waits
    }

    pub(super) fn socket_is_ready(&mut self) {
        self.is_socket_ready = true;
    }

    /// Gives it more time if the peer has taken some of the rest since the last turn.
    fn renew(&mut self, now: Instant) {
        let waiting = self.session.waiting();
        if waiting < self.waiting {
            self.until = self.until.max(now + DRAIN).min(self.until_at_most);
        }
        self.waiting = waiting;
    }
}

impl IoLoop {
    /// Ends a session in order: announces its end at once, then sends what still waits, in turns.
    pub(super) fn end_in_order(&mut self, session: Arc<Session>, cause: DownCause) {
        self.unpumped.remove(&session.id());
        session.leave_in_order(&self.node, cause);
        let now = Instant::now();
        let leaving = Leaving {
            until: now + DRAIN,
            until_at_most: now + DRAIN_IN_ALL,
            waiting: session.waiting(),
            left: Progress::Waits,
            is_socket_ready: true,
            session,
        };
        self.leaving.insert(leaving.session.id(), leaving);
    }

    /// Gives each session that ends its turn.
    pub(super) fn continue_leaving(&mut self) {
        let node = &self.node;
        self.leaving.retain(|_, leaving| {
            if leaving.is_due() {
                leaving.is_socket_ready = false;
                leaving.left = leaving.session.finish_leaving(node);
                leaving.renew(Instant::now());
            }
            leaving.left != Progress::Ended
        });
    }

    /// Ends the sessions whose peer has not read the rest in time.
    pub(super) fn end_expired(&mut self, now: Instant) {
        let node = &self.node;
        self.leaving.retain(|_, leaving| {
            let goes_on = leaving.until > now || leaving.left == Progress::Sends;
            if !goes_on {
                leaving.session.end(node, DownCause::Closed, "");
            }
            goes_on
        });
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

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpStream;

    use mio::Events;

    use super::*;
    use crate::io::tests::io_loop;
    use crate::node::fixture::session;
    use crate::node::session::{PIECE_BYTES, PUMP_PIECES};
    use crate::options::NodeOptions;
    use crate::tls::Channel;

    /// What a session may send in a turn: pieces with their headers, its first frame, and GOODBYE.
    const TURN_BYTES: u64 = (PUMP_PIECES * (PIECE_BYTES + 32) + 1024) as u64;
    const FRAMES: u32 = 8;
    const FRAME_BYTES: usize = 4 << 20;
    const MIB: usize = 1 << 20;

    /// Reads all bytes and opens none, so it is faster than a sender. Gives their number.
    fn read_all(mut socket: TcpStream, _: Channel) -> usize {
        let (mut bytes, mut all) = (vec![0; MIB], 0);
        loop {
            match socket.read(&mut bytes).unwrap() {
                0 => return all,
                count => all += count,
            }
        }
    }

    #[test]
    fn p3_a_session_that_ends_sends_no_more_a_turn_than_any_other() {
        let mut io = io_loop(NodeOptions::default());
        let node = io.node.clone();
        let (leaving, reader) = session(&node, "b@127.0.0.1:1", read_all);
        let (other, other_reader) = session(&node, "c@127.0.0.1:1", read_all);
        let frame = vec![0x10; FRAME_BYTES];
        for session in [&leaving, &other] {
            for stream in 0..FRAMES {
                session.bulk(&node, stream, 0, &[&frame]).unwrap();
            }
        }
        io.unpumped.insert(leaving.id(), leaving.clone());
        io.end_in_order(leaving.clone(), DownCause::Stopping);
        for leaving in io.leaving.values_mut() {
            leaving.until += Duration::from_secs(600);
        }
        let sent = |session: &Session| session.stats(&node).bytes_out;
        let mut events = Events::with_capacity(16);
        let mut most = 0;
        while !io.leaving.is_empty() || other.waiting() > 0 {
            let before = [sent(&leaving), sent(&other)];
            assert!(io.turn(&mut events));
            for (session, before) in [&leaving, &other].into_iter().zip(before) {
                most = most.max(sent(session) - before);
            }
        }
        assert!(most <= TURN_BYTES, "{most} bytes in one turn");
        let backlog = FRAMES as usize * FRAME_BYTES;
        assert!(reader.join().unwrap() > backlog, "the whole backlog was sent");
        other.end(&node, DownCause::Closed, "");
        assert!(other_reader.join().unwrap() > backlog);
    }

    #[test]
    fn a_peer_that_reads_nothing_is_closed_when_its_time_is_over_and_not_before() {
        let mut io = io_loop(NodeOptions::default());
        let node = io.node.clone();
        let (leaving, peer) = session(&node, "b@127.0.0.1:1", |mut socket, _| {
            socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
            std::io::copy(&mut socket, &mut std::io::sink()).map_err(|error| error.kind())
        });
        io.end_in_order(leaving.clone(), DownCause::Stopping);
        let until = io.leaving[&leaving.id()].until;
        io.end_expired(until.checked_sub(Duration::from_nanos(1)).unwrap());
        assert!(io.leaving.contains_key(&leaving.id()));
        io.end_expired(until);
        assert!(io.leaving.is_empty());
        let end = peer.join().unwrap();
        assert!(
            matches!(end, Ok(_) | Err(std::io::ErrorKind::ConnectionReset)),
            "{end:?}"
        );
        drop(leaving);
    }

    #[test]
    fn a_peer_that_reads_slowly_has_its_time_from_the_last_bytes_that_it_took() {
        let mut io = io_loop(NodeOptions::default());
        let node = io.node.clone();
        let (ready, wait) = std::sync::mpsc::channel::<()>();
        let (leaving, reader) = session(&node, "b@127.0.0.1:1", move |mut socket, _| {
            wait.recv().unwrap();
            std::io::copy(&mut socket, &mut std::io::sink())
        });
        let frame = vec![0x10; FRAME_BYTES];
        for stream in 0..FRAMES {
            leaving.bulk(&node, stream, 0, &[&frame]).unwrap();
        }
        io.end_in_order(leaving.clone(), DownCause::Stopping);
        let mut events = Events::with_capacity(16);
        while io.leaving[&leaving.id()].left != Progress::Waits || io.leaving[&leaving.id()].is_socket_ready {
            assert!(io.turn(&mut events));
        }
        let first = io.leaving[&leaving.id()].until;
        ready.send(()).unwrap();
        while io
            .leaving
            .get(&leaving.id())
            .is_some_and(|each| each.until == first)
        {
            assert!(io.turn(&mut events));
        }
        let each = &io.leaving[&leaving.id()];
        assert!(each.until > first);
        assert!(each.until <= each.until_at_most);
        let last = each.until_at_most;
        io.leaving.get_mut(&leaving.id()).unwrap().renew(last);
        assert!(io.leaving[&leaving.id()].until <= last);
        io.leaving.clear();
        leaving.end(&node, DownCause::Closed, "");
        drop(leaving);
        reader.join().unwrap().unwrap_or_default();
    }

    #[test]
    fn p1_a_peer_that_does_not_stop_sending_does_not_keep_the_thread() {
        let mut io = io_loop(NodeOptions::default());
        let node = io.node.clone();
        let (leaving, writer) = session(&node, "b@127.0.0.1:1", move |mut socket, _| {
            let bytes = vec![0; MIB];
            (0..64).take_while(|_| socket.write_all(&bytes).is_ok()).count()
        });
        io.end_in_order(leaving.clone(), DownCause::Stopping);
        let mut turns = 0;
        let mut events = Events::with_capacity(16);
        while !io.leaving.is_empty() {
            assert!(io.turn(&mut events));
            turns += 1;
            // The time is over as soon as there is something to drop.
            for leaving in io
                .leaving
                .values_mut()
                .filter(|leaving| leaving.left == Progress::Drops)
            {
                leaving.until = Instant::now();
            }
        }
        assert!(turns > 1);
        drop(leaving);
        let written = writer.join().unwrap();
        assert!(written < 32, "{written} MiB were taken from it");
    }
}
