//! Nodes without JavaScript, and peers that break the protocol on purpose.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its own part")]

pub mod raw;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use snowmesh_net::{Batch, DialReason, Hub, Lane, Node, NodeOptions, Reader, Wake};

pub const COOKIE: &str = "a cookie for tests, 32 letters..";
pub const UP: u8 = 0xA0;
pub const DOWN: u8 = 0xA1;
pub const CONNECT: u8 = 0xA3;
pub const REFUSED: u8 = 0xA9;
pub const SEND: u8 = 0x10;
const PATIENCE: Duration = Duration::from_secs(10);

/// One entry of a batch.
#[derive(Clone, Debug)]
pub struct Entry {
    pub tag: u8,
    pub session: u16,
    pub body: Vec<u8>,
}

impl Entry {
    pub fn u32(&self, at: usize) -> u32 {
        u32::from_le_bytes(self.body[at..at + 4].try_into().unwrap())
    }
}

#[derive(Default)]
struct Bell {
    rung: AtomicBool,
    lock: Mutex<()>,
    signal: Condvar,
}

struct Ring(Arc<Bell>);

impl Wake for Ring {
    fn wake(&self) {
        let _guard = self.0.lock.lock().unwrap();
        self.0.rung.store(true, Ordering::SeqCst);
        self.0.signal.notify_all();
    }
}

/// A node whose one lane is this test.
pub struct TestNode {
    pub node: Arc<Node>,
    pub name: String,
    pub entries: Vec<Entry>,
    handle: u32,
    lane: Arc<Lane>,
    bell: Arc<Bell>,
}

pub fn options(name: &str) -> NodeOptions {
    NodeOptions {
        name: format!("{name}@127.0.0.1:0"),
        cookie: COOKIE.into(),
        reader: Reader::Thread,
        ..NodeOptions::default()
    }
}

impl TestNode {
    pub fn start(name: &str) -> Self {
        Self::open(options(name))
    }

    pub fn open(options: NodeOptions) -> Self {
        let short = options.name.rsplit_once(':').unwrap().0.to_owned();
        let bell = Arc::<Bell>::default();
        let wake = Box::new(Ring(bell.clone()));
        let (handle, node, lane) = Hub::of_process().open(options, 640 * 1024, wake).expect("opens");
        let name = format!("{short}:{}", node.port());
        Self {
            node,
            name,
            entries: Vec::new(),
            handle,
            lane,
            bell,
        }
    }

    pub fn address(&self) -> std::net::SocketAddr {
        ([127, 0, 0, 1], self.node.port()).into()
    }

    /// Takes what waits.
    pub fn drain(&mut self) {
        self.bell.rung.store(false, Ordering::SeqCst);
        self.lane.begin_drain();
        let mut rx = vec![0; 640 * 1024];
        loop {
            let mut batch = Batch::new(&mut rx);
            self.lane.drain(&mut batch);
            let filled = batch.finish();
            if filled.bytes == 0 {
                break;
            }
            let mut at = 0;
            while at < filled.bytes {
                let length = u32::from_le_bytes(rx[at..at + 4].try_into().unwrap()) as usize;
                let session = u16::from_le_bytes([rx[at + 6], rx[at + 7]]);
                let body = rx[at + 8..at + 8 + length].to_vec();
                self.entries.push(Entry {
                    tag: rx[at + 4],
                    session,
                    body,
                });
                at += 8 + length;
            }
            for session in filled.ended {
                self.node.down_taken(session, &self.lane);
            }
            self.node.lane_drained(&self.lane);
        }
    }

    /// The first entry, seen or to come, that matches.
    pub fn find(&mut self, what: &str, matches: impl Fn(&Entry) -> bool) -> Entry {
        self.find_from(0, what, matches)
    }

    pub fn find_from(&mut self, from: usize, what: &str, matches: impl Fn(&Entry) -> bool) -> Entry {
        let until = Instant::now() + PATIENCE;
        loop {
            self.drain();
            if let Some(found) = self.entries[from..].iter().find(|entry| matches(entry)) {
                return found.clone();
            }
            assert!(
                Instant::now() < until,
                "did not happen: {what}; entries: {:?}",
                self.entries
            );
            let guard = self.bell.lock.lock().unwrap();
            if !self.bell.rung.load(Ordering::SeqCst) {
                let _ = self
                    .bell
                    .signal
                    .wait_timeout(guard, Duration::from_millis(50))
                    .unwrap();
            }
        }
    }

    pub fn dial(&mut self, request: u32, name: &str, port: u16) -> u8 {
        self.node.dial(
            request,
            name.to_owned(),
            "127.0.0.1".to_owned(),
            port,
            DialReason::Asked,
        );
        let entry = self.find("CONNECT_RESULT", |entry| {
            entry.tag == CONNECT && entry.u32(0) == request
        });
        entry.body[4]
    }

    pub fn count(&mut self, tag: u8) -> usize {
        self.drain();
        self.entries.iter().filter(|entry| entry.tag == tag).count()
    }

    pub fn until(&mut self, what: &str, holds: impl Fn(&Self) -> bool) {
        let until = Instant::now() + PATIENCE;
        loop {
            self.drain();
            if holds(self) {
                return;
            }
            assert!(
                Instant::now() < until,
                "did not happen: {what}; {:?}",
                self.node.stats()
            );
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Sends one small integer to the peer's actor 1.
    pub fn send(&mut self, session: u16, nc: u32, value: i32) {
        let mut frame = vec![15, 0, 0, 0, SEND];
        frame.extend_from_slice(&(u64::from(nc) << 40 | 1).to_le_bytes());
        frame.extend_from_slice(&[2, 0x22]);
        frame.extend_from_slice(&value.to_le_bytes());
        if let Some(session) = self.node.session(session) {
            session.flush(&self.node, &frame);
        }
    }

    pub fn numbers(&self) -> Vec<i32> {
        let sends = self.entries.iter().filter(|entry| entry.tag == SEND);
        sends
            .map(|entry| i32::from_le_bytes(entry.body[10..14].try_into().unwrap()))
            .collect()
    }
}

impl Drop for TestNode {
    fn drop(&mut self) {
        self.node.abort();
        Hub::of_process().forget(self.handle);
    }
}
