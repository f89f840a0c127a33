//! The I/O thread of a node: it accepts, dials, performs handshakes, watches deadlines, writes what a socket did not take at
//! once, and reads while the event loop is stalled.
//!
//! Guarantees: it sleeps until a socket, a command or a deadline needs it; only this thread adds, replaces and orderly ends
//! sessions, so two of one name cannot race.
//! Must not know: JavaScript. It reaches lanes only through their inboxes.

mod acceptor;
mod admission;
mod deadlines;
mod dialer;
mod establish;
mod handshake;
mod handshaker;
mod leaving;
mod lookups;
mod namesakes;
mod refusals;
mod sweep;

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use mio::net::TcpListener;
use mio::{Events, Interest, Poll, Token};
use snowmesh_core::StrongCookie;
use snowmesh_core::handshake::{CookieKey, LocalNode};

use crate::node::session::{Read, SESSION_TOKENS, Session};
use crate::node::{Command, Node};
use crate::tls::TlsConfig;
use crate::trim::Trim;
use admission::Admission;
use deadlines::{Deadlines, Due};
use dialer::Dial;
use handshake::Handshake;
use leaving::Leaving;
use lookups::Lookups;
use namesakes::Namesakes;
use refusals::Refusals;

pub(crate) const WAKER: Token = Token(0);
const LISTENER: Token = Token(1);
const HANDSHAKE_TOKENS: usize = 1 << 17;
/// The bytes read from one session before the others have their turn.
const READ_BUDGET: usize = 512 * 1024;

#[derive(Debug)]
pub(crate) struct IoLoop {
    node: Arc<Node>,
    poll: Poll,
    listener: Option<TcpListener>,
    tls: TlsConfig,
    /// This node's identity in handshakes; `None` until the key is derived.
    identity: Option<(LocalNode, CookieKey)>,
    handshakes: HashMap<usize, Handshake>,
    last_handshake: usize,
    admission: Admission,
    refusals: Refusals,
    namesakes: Namesakes,
    dials: HashMap<u64, Dial>,
    last_dial: u64,
    lookups: Lookups,
    /// See [`Self::next_moment`].
    moment: u64,
    deadlines: Deadlines,
    /// Sessions that are ending in order.
    leaving: BTreeMap<u16, Leaving>,
    /// Sessions with more to read than their turn allowed.
    unfinished: BTreeMap<u16, Arc<Session>>,
    /// Sessions with more to send than their turn allowed.
    unpumped: BTreeMap<u16, Arc<Session>>,
    /// Sessions that are not read because a lane is full.
    held: BTreeMap<u16, Arc<Session>>,
    next_sweep: Instant,
    trim: Trim,
    /// More connections wait than one turn accepts.
    has_backlog: bool,
    stopping: bool,
}

impl IoLoop {
    pub(crate) fn new(
        node: Arc<Node>,
        poll: Poll,
        mut listener: TcpListener,
        tls: TlsConfig,
    ) -> io::Result<Self> {
        // Nothing is accepted before the first turn, when the key is derived.
        poll.registry()
            .register(&mut listener, LISTENER, Interest::READABLE)?;
        Ok(Self {
            admission: Admission::new(node.options.max_handshakes as usize),
            refusals: Refusals::new(Instant::now()),
            namesakes: Namesakes::default(),
            lookups: Lookups::new(node.clone()),
            node,
            poll,
            listener: Some(listener),
            tls,
            identity: None,
            handshakes: HashMap::new(),
            last_handshake: 0,
            dials: HashMap::new(),
            last_dial: 0,
            moment: 0,
            deadlines: Deadlines::default(),
            leaving: BTreeMap::new(),
            unfinished: BTreeMap::new(),
            unpumped: BTreeMap::new(),
            held: BTreeMap::new(),
            has_backlog: false,
            next_sweep: Instant::now(),
            trim: Trim::new(Instant::now()),
            stopping: false,
        })
    }

    /// Runs until the node has stopped.
    pub(crate) fn run(mut self, local: LocalNode, cookie: StrongCookie) {
        // Slow on purpose, tens of milliseconds: each guess of a cookie costs an attacker as much.
        self.identity = Some((local, CookieKey::derive(&cookie)));
        // From here on only the key is needed.
        drop(cookie);
        let mut events = Events::with_capacity(256);
        while !self.is_over() && self.turn(&mut events) {}
        self.end_all();
    }

    /// Waits for events and handles them; false: the thread must end.
    fn turn(&mut self, events: &mut Events) -> bool {
        match self.poll.poll(events, self.timeout()) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return true,
            Err(_) => return false,
        }
        if self.node.aborted.load(Ordering::SeqCst) {
            return false;
        }
        for event in &*events {
            match event.token() {
                WAKER => {}
                LISTENER => self.accept_all(),
                Token(token) if token >= HANDSHAKE_TOKENS => self.drive(token),
                Token(token) => {
                    self.serve(token - SESSION_TOKENS, event.is_readable(), event.is_writable());
                }
            }
        }
        self.run_commands();
        self.run_turns();
        self.run_deadlines();
        true
    }

    fn is_over(&self) -> bool {
        self.node.aborted.load(Ordering::SeqCst) || self.stopping && self.leaving.is_empty()
    }

    fn timeout(&self) -> Option<Duration> {
        let leaving = self.leaving.values();
        if self.has_backlog
            || !self.unfinished.is_empty()
            || !self.unpumped.is_empty()
            || leaving.clone().any(Leaving::is_due)
        {
            return Some(Duration::ZERO);
        }
        let now = Instant::now();
        let leaving = leaving.map(Leaving::until).min();
        let next = self.deadlines.next();
        [next, leaving, self.refusals.next(), Some(self.next_sweep)]
            .into_iter()
            .flatten()
            .min()
            .map(|at| at.saturating_duration_since(now))
    }

    /// A session's socket is ready.
    fn serve(&mut self, id: usize, readable: bool, writable: bool) {
        let Ok(id) = u16::try_from(id) else { return };
        if let Some(leaving) = self.leaving.get_mut(&id) {
            return leaving.socket_is_ready();
        }
        let Some(session) = self.node.session(id) else {
            return;
        };
        if writable {
            self.unpumped.insert(session.id(), session.clone());
        }
        if readable {
            // The map has each session once, so it is read once in this turn.
            self.unfinished.insert(session.id(), session);
        }
    }

    fn read(&mut self, session: Arc<Session>) {
        if self.node.taken_over.load(Ordering::Relaxed) && !self.node.watch.is_stalled() {
            self.hand_back();
        }
        if !session.is_read_by_thread() {
            return self.return_to_loop(session);
        }
        let list = match session.read(&self.node, None, READ_BUDGET) {
            Read::Idle | Read::Ended => return,
            Read::More | Read::Spent if self.node.is_inbound_blocked() => &mut self.held,
            Read::More | Read::Spent => &mut self.unfinished,
        };
        list.insert(session.id(), session);
    }

    /// Has the event loop read the session once: no socket event announces frames that were received but not delivered.
    fn return_to_loop(&self, session: Arc<Session>) {
        if self.node.is_loop_reader() {
            self.node.queue_for_loop(session);
            if let Some(Some(first)) = self.node.lanes().first() {
                first.request_drain();
            }
        }
    }

    /// Sends, reads and accepts; each has a limit per turn, so that no session holds up the others.
    fn run_turns(&mut self) {
        for (id, session) in std::mem::take(&mut self.unpumped) {
            if session.pump(&self.node) {
                self.unpumped.insert(id, session);
            }
        }
        self.continue_leaving();
        for session in std::mem::take(&mut self.unfinished).into_values() {
            self.read(session);
        }
        if self.has_backlog {
            self.accept_all();
        }
    }

    fn run_commands(&mut self) {
        for command in self.node.take_commands() {
            match command {
                Command::Attach(lane) => self.attach(&lane),
                Command::Close => self.begin_stop(),
                Command::Dial(request) => self.dial(request),
                Command::Hangup { session, cause } => {
                    if let Some(session) = self.node.session(session) {
                        self.end_in_order(session, cause);
                    }
                }
                Command::Resolved { dial, reason, found } => self.resolved(dial, reason, found),
                Command::Resume => self.unfinished.append(&mut self.held),
            }
        }
    }

    fn run_deadlines(&mut self) {
        let now = Instant::now();
        while let Some(due) = self.deadlines.pop(now) {
            match due {
                Due::Address(dial, token) => self.address_expired(dial, token),
                Due::Dial(dial) => self.dial_expired(dial),
                Due::Handshake(token) => self.handshake_expired(token),
            }
        }
        if self.refusals.next().is_some() {
            self.report_refusal();
        }
        self.end_expired(now);
        if now >= self.next_sweep {
            self.sweep(now);
        }
    }
}

#[cfg(test)]
mod tests;
