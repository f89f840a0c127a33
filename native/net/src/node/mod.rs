//! One started node: its tables, and the operations that lanes may call.
//!
//! Locks are taken in this order and never the other way: a session's `io`, the node's `tables`, `lanes`, a lane's
//! inbox, a lane's wake. Only the node's I/O thread ever holds two sessions' `io` at once.

#[cfg(test)]
pub(crate) mod fixture;
pub mod session;
mod stats;
mod tables;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Instant;

use parking_lot::{Mutex, RwLock};

use crate::error::OpenError;
use crate::event::{DialReason, DownCause};
use crate::identities::Identities;
use crate::lane::{Lane, Wake};
use crate::options::{NodeOptions, Reader};
use crate::watch::LoopWatch;
pub(crate) use stats::Counters;
pub use stats::NodeStats;
use tables::Tables;

/// The most isolates of one node: the scheduler index has six bits.
pub const MAX_LANES: usize = 64;

/// The lanes by index.
pub(crate) type Lanes = Arc<[Option<Arc<Lane>>]>;

/// A node, shared by its I/O thread and the isolates attached to it.
#[derive(Debug)]
pub struct Node {
    pub(crate) options: NodeOptions,
    pub(crate) name: String,
    pub(crate) incarnation: u64,
    pub(crate) port: u16,
    pub(crate) registry: mio::Registry,
    pub(crate) watch: LoopWatch,
    /// The I/O thread reads because the event loop is stalled.
    pub(crate) taken_over: AtomicBool,
    /// The environment is ending: the I/O thread stops at once.
    pub(crate) aborted: AtomicBool,
    pub(crate) counters: Counters,
    tables: Mutex<Tables>,
    lanes: RwLock<Lanes>,
    commands: Mutex<Vec<Command>>,
    waker: mio::Waker,
    start: Instant,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// Requests of other threads to the I/O thread.
#[derive(Debug)]
pub(crate) enum Command {
    Attach(Arc<Lane>),
    Close,
    Dial(DialRequest),
    Hangup {
        session: u16,
        cause: DownCause,
    },
    /// The look-up for a dial ended.
    Resolved {
        dial: u64,
        reason: DialReason,
        found: std::io::Result<Vec<std::net::SocketAddr>>,
    },
    /// A lane has room again: continue reading.
    Resume,
}

#[derive(Clone, Debug)]
pub(crate) struct DialRequest {
    pub(crate) request: u32,
    pub(crate) name: String,
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) reason: DialReason,
}

/// What a node starts from; made by the hub.
#[derive(Debug)]
pub(crate) struct NodeParts {
    pub(crate) options: NodeOptions,
    pub(crate) name: String,
    pub(crate) incarnation: u64,
    pub(crate) port: u16,
    pub(crate) registry: mio::Registry,
    pub(crate) waker: mio::Waker,
    pub(crate) lane: Arc<Lane>,
}

impl Node {
    pub(crate) fn new(parts: NodeParts) -> Self {
        let identities = Identities::new(&parts.name, parts.incarnation);
        Self {
            options: parts.options,
            name: parts.name,
            incarnation: parts.incarnation,
            port: parts.port,
            registry: parts.registry,
            watch: LoopWatch::new(),
            taken_over: AtomicBool::new(false),
            aborted: AtomicBool::new(false),
            counters: Counters::default(),
            tables: Mutex::new(Tables::new(identities)),
            lanes: RwLock::new(Arc::new([Some(parts.lane)])),
            commands: Mutex::default(),
            waker: parts.waker,
            start: Instant::now(),
            thread: Mutex::default(),
        }
    }

    /// The port it listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The identity of this start.
    #[must_use]
    pub fn incarnation(&self) -> u64 {
        self.incarnation
    }

    /// Requests a session; lane 0 gets one CONNECT_RESULT with `request`. The same request once more, while it has no answer, gives
    /// it the reason [`DialReason::Asked`].
    pub fn dial(&self, request: u32, name: String, host: String, port: u16, reason: DialReason) {
        self.command(Command::Dial(DialRequest {
            request,
            name,
            host,
            port,
            reason,
        }));
    }

    /// Ends a session in order.
    pub fn hangup(&self, session: u16, cause: DownCause) {
        self.command(Command::Hangup { session, cause });
    }

    /// Stops in order; every lane gets STOPPED when that is done.
    pub fn close(&self) {
        self.command(Command::Close);
    }

    /// Stops at once and waits for the I/O thread. For environments that are ending.
    pub fn abort(&self) {
        self.aborted.store(true, Ordering::SeqCst);
        self.join();
    }

    /// Waits for the I/O thread, which ends after STOPPED or [`Self::abort`].
    pub fn join(&self) {
        let _ = self.waker.wake();
        if let Some(thread) = self.thread.lock().take() {
            // If the thread panicked, the hook has printed that; the node has ended either way.
            let _ = thread.join();
        }
    }

    /// Adds an isolate as a lane. It gets entries once the I/O thread has attached it.
    ///
    /// # Errors
    /// [`OpenError::TooManyLanes`]
    pub fn attach(&self, rx_bytes: usize, wake: Box<dyn Wake>) -> Result<Arc<Lane>, OpenError> {
        let mut lanes = self.lanes.write();
        let mut table = lanes.to_vec();
        let free = table.iter().position(Option::is_none).unwrap_or(table.len());
        let index = u8::try_from(free)
            .ok()
            .filter(|index| usize::from(*index) < MAX_LANES);
        let Some(index) = index else {
            return Err(OpenError::TooManyLanes { max: MAX_LANES });
        };
        let lane = Arc::new(Lane::new(index, rx_bytes, wake));
        // The index is taken at once, but the lane gets no entries until `resume` has told it of the present state.
        lane.set_suspended(true);
        if free == table.len() {
            table.push(None);
        }
        if let Some(place) = table.get_mut(free) {
            *place = Some(lane.clone());
        }
        *lanes = table.into();
        drop(lanes);
        self.command(Command::Attach(lane.clone()));
        Ok(lane)
    }

    /// Removes a lane: it gets no entries after this has returned.
    pub fn detach(&self, lane: &Lane) {
        lane.disconnect();
        let mut lanes = self.lanes.write();
        let mut table = lanes.to_vec();
        for place in &mut table {
            if place
                .as_ref()
                .is_some_and(|held| std::ptr::eq(&raw const **held, lane))
            {
                *place = None;
            }
        }
        *lanes = table.into();
        drop(lanes);
        self.tables.lock().forget_lane(lane.index());
    }

    /// A lane drained its inbox: continues reading if that waited for room.
    pub fn lane_drained(&self, lane: &Lane) {
        if lane.had_overflow() && lane.bytes() < self.options.inbox_bytes as usize / 2 {
            lane.clear_overflow();
            self.command(Command::Resume);
            if let Some(Some(first)) = self.lanes().first() {
                first.request_drain();
            }
        }
    }

    /// Whether the inbox of some lane is full.
    #[must_use]
    pub fn is_inbound_blocked(&self) -> bool {
        self.lanes()
            .iter()
            .flatten()
            .any(|lane| lane.bytes() >= self.options.inbox_bytes as usize)
    }

    /// Where the loop of lane 0 notes its turns.
    #[must_use]
    pub fn loop_watch(&self) -> &LoopWatch {
        &self.watch
    }

    /// Whether the event loop reads the sockets.
    #[must_use]
    pub fn is_loop_reader(&self) -> bool {
        self.options.reader == Reader::Loop
    }

    /// The longest busy wait in microseconds.
    #[must_use]
    pub fn spin_us(&self) -> u32 {
        self.options.spin_us
    }

    pub(crate) fn keep_thread(&self, thread: JoinHandle<()>) {
        *self.thread.lock() = Some(thread);
    }

    pub(crate) fn command(&self, command: Command) {
        self.commands.lock().push(command);
        let _ = self.waker.wake();
    }

    pub(crate) fn take_commands(&self) -> Vec<Command> {
        std::mem::take(&mut *self.commands.lock())
    }

    pub(crate) fn lanes(&self) -> Lanes {
        self.lanes.read().clone()
    }

    /// Milliseconds since the start.
    pub(crate) fn now_ms(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Puts an entry into every lane's inbox and wakes them.
    pub(crate) fn broadcast(&self, session: u16, tag: u8, body: &[u8]) {
        for lane in self.lanes().iter().flatten() {
            lane.push(session, tag, body);
            lane.notify();
        }
    }

    /// Puts an entry into lane 0's inbox and wakes it.
    pub(crate) fn push_to_first(&self, session: u16, tag: u8, body: &[u8]) {
        if let Some(Some(lane)) = self.lanes().first() {
            lane.push(session, tag, body);
            lane.notify();
        }
    }
}
