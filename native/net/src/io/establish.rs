//! Makes a session of a proved connection: decides which of two connections stays, ends the former session, announces
//! the new one.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use snowmesh_core::handshake::{Decision, HandshakeError, Peer as Proved};
use snowmesh_core::tie_break::{HeldSession, Incoming, Verdict, tie_break};

use super::IoLoop;
use super::handshake::Handshake;
use crate::event::DownCause;
use crate::lane::Lane;
use crate::network::network;
use crate::node::Node;
use crate::node::session::{Connection, Inbound, Peer, Read, Session};
use crate::tune;

impl IoLoop {
    /// An incoming peer proved its identity: keeps the connection, or tells the peer that another one stays.
    pub(super) fn decide(&mut self, mut handshake: Handshake, peer: &Proved, nc: u32) {
        let name = peer.name.as_str();
        let held = self.node.session_of(name);
        if let Some(held) = &held
            && !self
                .namesakes
                .may_displace(name, held.peer().incarnation, peer.incarnation)
        {
            return self.refuse(handshake, &HandshakeError::NameTaken);
        }
        let verdict = tie_break(&Incoming {
            own_name: &self.node.name,
            peer_name: name,
            peer_incarnation: peer.incarnation,
            is_dialling: self.is_dialling(name),
            session: held.as_ref().map(|held| HeldSession {
                incarnation: held.peer().incarnation,
                dialled_by_us: held.peer().dialled_by_us,
                is_newer_than_hello: held.up_at() > handshake.hello_at,
            }),
        });
        let decision = match verdict {
            Verdict::Accept | Verdict::AcceptAndReplace => Decision::Accepted,
            Verdict::Duplicate => Decision::Duplicate,
        };
        let Some(ack) = handshake
            .acceptor()
            .and_then(|acceptor| acceptor.decide(decision))
        else {
            return;
        };
        if handshake.channel.seal(&ack).is_err() {
            return;
        }
        if decision == Decision::Accepted {
            return self.establish(handshake, peer, nc, false);
        }
        handshake.channel.finish();
        if handshake.channel.send(&handshake.stream).is_ok() {
            let _ = handshake.stream.shutdown(std::net::Shutdown::Write);
        }
    }

    /// Makes the session. A former session of that name ends before the new one is announced. `nc` is this node's number
    /// of the peer.
    pub(super) fn establish(&mut self, handshake: Handshake, peer: &Proved, nc: u32, dialled_by_us: bool) {
        let network = network(handshake.address());
        let Handshake {
            mut stream,
            channel,
            frames,
            round_trip,
            ..
        } = handshake;
        tune::limit_buffers(&stream, round_trip);
        let _ = self.poll.registry().deregister(&mut stream);
        if self.stopping {
            return;
        }
        let node = self.node.clone();
        let name = peer.name.as_str();
        if let Some(held) = node.session_of(name) {
            self.replace(held, peer.incarnation);
        }
        // No id is free: the connection is closed, and the peer may try again later.
        let Some(id) = node.reserve_id() else { return };
        let peer = Peer {
            name: name.to_owned(),
            incarnation: peer.incarnation,
            nc,
            capabilities: peer.capabilities,
            hidden: peer.is_hidden,
            dialled_by_us,
            network,
        };
        let inbound = Inbound::new(frames, nc, node.options.max_message);
        let up_at = self.next_moment();
        let connection = Connection {
            stream,
            channel,
            inbound,
        };
        let session = Arc::new(Session::new(id, peer, connection, up_at, node.now_ms()));
        session.start(&node);
        self.dial_done(&session.peer().name);
        self.begin_reading(&node, &session);
        self.next_sweep = self.next_sweep.min(Instant::now() + self.sweep_interval());
    }

    /// Ends a session that a new one replaces. If the new one is of another incarnation, the old peer gets a GOODBYE: it may
    /// be alive.
    fn replace(&mut self, held: Arc<Session>, incarnation: u64) {
        if held.peer().incarnation == incarnation {
            held.end(&self.node, DownCause::Replaced, "the peer connected anew");
        } else {
            self.end_in_order(held, DownCause::Replaced);
        }
    }

    fn begin_reading(&mut self, node: &Node, session: &Arc<Session>) {
        // Frames may have been received together with the last one of the handshake: no socket event announces them.
        let read = session.read(node, None, 0);
        if !node.is_loop_reader() || node.taken_over.load(Ordering::Relaxed) {
            session.set_read_by_thread(node, true);
            self.unfinished.insert(session.id(), session.clone());
        } else if read == Read::More {
            self.return_to_loop(session.clone());
        }
    }

    /// Adds a lane: it gets the present sessions and numbers first, then every event. All sessions are locked meanwhile, so
    /// no frame comes in between.
    pub(super) fn attach(&mut self, lane: &Lane) {
        let sessions = self.node.sessions();
        let held: Vec<_> = sessions.iter().map(|session| (session, session.lock())).collect();
        self.node.resume(lane, || {
            for (session, io) in &held {
                session.replay(io, lane);
            }
        });
    }

    /// The next number in the order of HELLOs and new sessions of this node.
    pub(super) fn next_moment(&mut self) -> u64 {
        self.moment += 1;
        self.moment
    }
}
