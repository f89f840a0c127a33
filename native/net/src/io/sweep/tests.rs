//! Sweeps of an I/O loop that does not run. The time is what the test says, but for stalls, which are waited for.

use super::*;
use crate::event::SESSION_DOWN;
use crate::io::tests::{io_loop, lane_of};
use crate::node::Node;
use crate::node::fixture::{drain, message_frame, sends, session};
use crate::options::NodeOptions;

const NAME: &str = "b@127.0.0.1:1";
const RX_BYTES: usize = 640 * 1024;

/// A session whose peer has sent so many messages of 4 KiB, of which nothing is read.
fn session_with(io: &IoLoop, messages: u32) -> Arc<Session> {
    let frames = (0..messages).flat_map(|number| message_frame(0, number, 4096));
    let (session, peer) = session(&io.node, NAME, sends(frames.collect()));
    // It stays open as long as the test runs.
    std::mem::forget(peer.join().unwrap());
    while !session.has_unread() {
        std::thread::yield_now();
    }
    session
}

/// A session whose peer sends nothing.
fn silent(io: &IoLoop) -> Arc<Session> {
    let (session, peer) = session(&io.node, NAME, |socket, channel| (socket, channel));
    std::mem::forget(peer.join().unwrap());
    session
}

fn small_inbox() -> NodeOptions {
    NodeOptions {
        inbox_bytes: 64 * 1024,
        ..NodeOptions::default()
    }
}

fn until_stalled(io: &IoLoop) {
    io.node.watch.note_turn();
    while !io.node.watch.is_stalled() {
        std::thread::yield_now();
    }
}

/// The loop has turned, and waits.
fn turns(node: &Node) {
    node.watch.note_wake();
    node.watch.note_wait();
}

#[test]
fn a_peer_is_lost_when_no_byte_came_for_the_down_interval() {
    let mut io = io_loop(NodeOptions::default());
    let session = silent(&io);
    let lost = session.received_at() + u64::from(io.node.options.down_ms);
    io.check_silence(&session, lost - 1);
    assert!(io.node.session(session.id()).is_some());
    io.check_silence(&session, lost);
    assert!(io.node.session(session.id()).is_none());
    let down = drain(&lane_of(&io), RX_BYTES).pop().unwrap();
    assert_eq!((down.tag, down.body[0]), (SESSION_DOWN, DownCause::Timeout as u8));
}

#[test]
fn a_peer_whose_bytes_wait_while_the_inbox_is_full_is_not_lost() {
    let mut io = io_loop(small_inbox());
    let session = session_with(&io, 1);
    let lane = lane_of(&io);
    lane.push_big(1, vec![0; 64 * 1024]);
    let lost = session.received_at() + u64::from(io.node.options.down_ms);
    io.check_silence(&session, lost);
    assert!(io.node.session(session.id()).is_some());
    assert_eq!(session.received_at(), lost);
    let silent = silent(&io);
    io.check_silence(&silent, silent.received_at() + u64::from(io.node.options.down_ms));
    assert!(io.node.session(silent.id()).is_none(), "nothing of it waits");
    session.end(&io.node, DownCause::Closed, "");
}

#[test]
fn frames_that_the_check_for_silence_cannot_deliver_are_read_again() {
    let mut io = io_loop(small_inbox());
    let session = session_with(&io, 20);
    let lost = session.received_at() + u64::from(io.node.options.down_ms);
    io.check_silence(&session, lost);
    assert!(io.node.is_inbound_blocked(), "the inbox is full");
    assert!(io.unfinished.contains_key(&session.id()));
    session.end(&io.node, DownCause::Closed, "");
}

#[test]
fn after_the_process_was_suspended_each_peer_has_one_more_tick() {
    let io = io_loop(NodeOptions {
        tick_ms: 10,
        down_ms: 20,
        ..NodeOptions::default()
    });
    let session = silent(&io);
    while io.node.now_ms() < session.received_at() + 30 {
        std::thread::yield_now();
    }
    io.grant_grace(std::slice::from_ref(&session));
    let left = session.received_at() + 20 - io.node.now_ms();
    assert!(left <= 10, "{left} ms are left");
    session.end(&io.node, DownCause::Closed, "");
}

#[test]
fn a_sweep_pings_and_ends_silent_peers_unless_the_process_was_suspended() {
    let mut io = io_loop(NodeOptions {
        tick_ms: 300,
        down_ms: 310,
        ..NodeOptions::default()
    });
    let session = silent(&io);
    let sent = session.stats(&io.node).bytes_out;
    let wait = |io: &IoLoop| {
        while io.node.now_ms() < session.received_at() + 310 {
            std::thread::yield_now();
        }
    };
    wait(&io);
    io.sweep(io.next_sweep + io.node.options.tick() + Duration::from_millis(1));
    assert!(io.node.session(session.id()).is_some(), "the sweep was late");
    assert!(session.stats(&io.node).bytes_out > sent, "PING");
    wait(&io);
    io.sweep(io.next_sweep + io.node.options.tick());
    assert!(io.node.session(session.id()).is_none());
}

#[test]
fn held_sessions_are_read_on_by_a_sweep_when_there_is_room() {
    let mut io = io_loop(small_inbox());
    let session = silent(&io);
    let lane = lane_of(&io);
    lane.push_big(1, vec![0; 64 * 1024]);
    io.held.insert(session.id(), session.clone());
    io.sweep(Instant::now());
    assert!(io.held.contains_key(&session.id()) && io.unfinished.is_empty());
    drain(&lane, RX_BYTES);
    io.sweep(Instant::now());
    assert!(io.held.is_empty() && io.unfinished.contains_key(&session.id()));
    session.end(&io.node, DownCause::Closed, "");
}

#[test]
fn the_thread_reads_while_the_loop_is_stalled_and_no_longer() {
    let mut io = io_loop(NodeOptions::default());
    let (node, lane) = (io.node.clone(), lane_of(&io));
    let session = session_with(&io, 1);
    let sessions = [session.clone()];
    let takeovers = || (node.taken_over.load(Ordering::Relaxed), node.stats().takeovers);
    io.read(session.clone());
    assert_eq!(node.take_queued_for_loop().len(), 1, "the loop reads");
    until_stalled(&io);
    io.watch_loop(&sessions);
    io.watch_loop(&sessions);
    assert_eq!(takeovers(), (true, 1));
    assert!(session.is_read_by_thread() && io.unfinished.contains_key(&session.id()));
    let before = drain(&lane, RX_BYTES).len();
    assert!(before > 0);
    while lane.is_empty() {
        io.read(session.clone());
    }
    io.held.insert(session.id(), session.clone());
    lane.begin_drain();
    turns(&node);
    io.watch_loop(&sessions);
    assert_eq!(takeovers(), (false, 1));
    assert!(!session.is_read_by_thread() && io.held.is_empty());
    assert_eq!(node.take_queued_for_loop().len(), 1, "what was held");
    assert!(lane.is_scheduled(), "what the thread read waits");
    until_stalled(&io);
    io.watch_loop(&sessions);
    turns(&node);
    io.read(session.clone());
    assert_eq!(takeovers(), (false, 2), "a read notices it, too");
    session.leave_to_thread(&node);
    io.hand_back();
    assert!(session.is_read_by_thread(), "the loop cannot");
    session.end(&node, DownCause::Closed, "");
}

#[test]
fn a_loop_that_waits_while_a_peer_does_is_woken_to_see_whether_it_turns() {
    let mut io = io_loop(NodeOptions {
        tick_ms: 3_600_000,
        down_ms: 3_600_001,
        ..NodeOptions::default()
    });
    let lane = lane_of(&io);
    let session = silent(&io);
    let later = Instant::now() + SWEEP_IDLE;
    io.next_sweep = later;
    lane.begin_drain();
    io.watch_loop(std::slice::from_ref(&session));
    assert!(!lane.is_scheduled() && io.next_sweep == later, "nobody waits");
    let waiting = session_with(&io, 1);
    io.watch_loop(&[session.clone(), waiting.clone()]);
    assert!(lane.is_scheduled());
    assert!(io.next_sweep <= Instant::now() + STALL + SWEEP_LEAST);
    while !io.node.watch.is_stalled() {
        std::thread::yield_now();
    }
    io.node.watch.note_wake();
    assert!(!io.node.watch.is_stalled());
    io.watch_loop(&[]);
    while !io.node.watch.is_stalled() {
        std::thread::yield_now(); // the wake-up that was requested has not arrived
    }
    for session in [session, waiting] {
        session.end(&io.node, DownCause::Closed, "");
    }
}
