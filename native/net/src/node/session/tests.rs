//! Sessions, step by step, without an I/O thread: what they send and when lanes are told of it.

use std::io::Read as _;
use std::net::TcpStream;
use std::sync::mpsc;
use std::time::Duration;

use snowmesh_core::frame::tag;
use socket2::SockRef;

use super::outbound::LOW_WATER;
use super::*;
use crate::event::{SESSION_DOWN, SESSION_UP, STREAM_DONE, WRITABLE};
use crate::lane::Lane;
use crate::node::fixture::{Entry, drain, frames_until_end, node, session};
use crate::options::NodeOptions;
use crate::watch::STALL;

const NAME: &str = "b@127.0.0.1:1";
const RX_BYTES: usize = 640 * 1024;
const PIECE: usize = 64 * 1024;
const MIB: usize = 1 << 20;

/// A frame of that many bytes that a receiver skips.
fn frame(bytes: usize) -> Vec<u8> {
    let length = u32::try_from(bytes - 4).unwrap().to_le_bytes();
    [&length[..], &[0x80], &vec![0; bytes - 5]].concat()
}

/// A peer that reads at most [`PIECE`] bytes each time it is asked to.
fn slow(node: &Node) -> (Arc<Session>, mpsc::Sender<()>, mpsc::Receiver<()>) {
    let ((ask, asked), (tell, read)) = (mpsc::channel(), mpsc::channel());
    let (session, _) = session(node, NAME, move |mut socket: TcpStream, _| {
        SockRef::from(&socket).set_recv_buffer_size(PIECE).unwrap();
        tell.send(()).unwrap();
        let mut bytes = vec![0; PIECE];
        while asked.recv().is_ok() {
            let _ = socket.read(&mut bytes);
            let _ = tell.send(());
        }
    });
    read.recv().unwrap();
    SockRef::from(&session.lock().stream)
        .set_send_buffer_size(PIECE)
        .unwrap();
    (session, ask, read)
}

/// The entries of a lane but for numbers of nodes and new sessions.
fn told(lane: &Lane) -> Vec<Entry> {
    let mut entries = drain(lane, RX_BYTES);
    entries.retain(|entry| entry.tag >= 0xA0 && !matches!(entry.tag, SESSION_UP | crate::event::NODE_SLOT));
    entries
}

#[test]
fn lanes_are_told_when_little_waits_and_when_nothing_does() {
    let (node, lane, _poll) = node(NodeOptions::default(), RX_BYTES);
    let (session, ask, read) = slow(&node);
    let waiting = session.flush(&node, &frame(4 * MIB)).unwrap();
    assert!(waiting > 3 * MIB && session.waiting() == waiting, "{waiting}");
    assert_eq!(told(&lane), []);
    let mut pending = Vec::new();
    while session.waiting() > 0 {
        ask.send(()).unwrap();
        read.recv().unwrap();
        assert!(!session.pump(&node));
        for entry in told(&lane) {
            assert_eq!((entry.session, entry.tag), (session.id(), WRITABLE));
            pending.push(u32::from_le_bytes(entry.body.try_into().unwrap()) as usize);
            assert_eq!(pending.last(), Some(&session.waiting()));
        }
    }
    assert_eq!((pending.len(), pending[1]), (2, 0), "{pending:?}");
    assert!(
        pending[0] < LOW_WATER && pending[0] > LOW_WATER / 4,
        "{pending:?}"
    );
    assert_eq!(session.flush(&node, &frame(10)), Some(0));
    assert_eq!(told(&lane), [], "nobody waits for room");
    drop(ask);
    session.end(&node, DownCause::Closed, "");
}

#[test]
fn a_long_frame_is_reported_when_it_is_sent() {
    let (node, lane, _poll) = node(NodeOptions::default(), RX_BYTES);
    let (session, peer) = session(&node, NAME, frames_until_end);
    let waiting = session.bulk(&node, 7, 0, &[&[0x80], &vec![1; MIB]]);
    assert_eq!(waiting, Some(MIB + 1));
    assert_eq!(told(&lane), []);
    lane.begin_drain();
    while session.waiting() > 0 {
        assert!(!session.pump(&node), "it is less than a turn");
    }
    assert!(lane.is_scheduled());
    let done = [7_u32.to_le_bytes(), 1_u32.to_le_bytes()].concat();
    let expected = [
        Entry::new(session.id(), STREAM_DONE, &done),
        Entry::new(session.id(), WRITABLE, &[0; 4]),
    ];
    assert_eq!(told(&lane), expected);
    session.end(&node, DownCause::Closed, "");
    let got = peer.join().unwrap();
    let parts = got.iter().filter(|(tag, _)| *tag == tag::FRAGMENT);
    assert!(parts.count() > 8, "in pieces");
}

#[test]
fn a_full_outbox_ends_the_session_and_one_byte_less_does_not() {
    let options = NodeOptions {
        outbox_bytes: 100_000,
        max_message: 200_000,
        ..NodeOptions::default()
    };
    let (node, lane, _poll) = node(options, RX_BYTES);
    let down = |session: &Session| {
        let ends = told(&lane).into_iter().filter(|entry| entry.tag == SESSION_DOWN);
        ends.map(|entry| (entry.session == session.id(), entry.body[0]))
            .collect::<Vec<_>>()
    };
    for (bytes, ends) in [(100_000, false), (100_001, true)] {
        let (session, _) = session(&node, NAME, frames_until_end);
        assert_eq!(session.flush(&node, &frame(bytes)).is_none(), ends);
        assert_eq!(
            down(&session),
            vec![(true, DownCause::Overflow as u8); usize::from(ends)]
        );
        session.end(&node, DownCause::Closed, "");
        down(&session);
    }
    for (bytes, ends) in [(300_000, false), (300_001, true)] {
        let (session, _) = session(&node, NAME, frames_until_end);
        assert_eq!(session.bulk(&node, 1, 0, &[&vec![0x80; bytes]]).is_none(), ends);
        assert_eq!(
            down(&session),
            vec![(true, DownCause::Overflow as u8); usize::from(ends)]
        );
        assert_eq!(session.bulk(&node, 1, 0, &[]), (!ends).then_some(bytes));
        session.end(&node, DownCause::Closed, "");
        assert_eq!(session.bulk(&node, 1, 0, &[&[0x80]]), None);
        assert_eq!(session.flush(&node, &frame(10)), None);
        down(&session);
    }
}

/// The bodies of the PINGs: sequence and age of the loop.
fn pings(frames: &[(u8, Vec<u8>)]) -> Vec<(u64, u32)> {
    let pings = frames.iter().filter(|(tag, _)| *tag == tag::PING);
    pings
        .map(|(_, body)| {
            let (sequence, age) = body.split_first_chunk().unwrap();
            let age = u32::from_le_bytes(age.try_into().unwrap());
            (u64::from_le_bytes(*sequence), age)
        })
        .collect()
}

#[test]
fn a_silent_session_sends_ping_after_a_tick_and_tells_of_a_stall_and_its_end() {
    let (node, _lane, _poll) = node(NodeOptions::default(), RX_BYTES);
    let (session, peer) = session(&node, NAME, frames_until_end);
    let tick = u64::from(node.options.tick_ms);
    let after = |ms: u64, age: Duration| session.tick(&node, session.sent_at() + ms, age);
    after(tick - 1, Duration::ZERO);
    after(0, node.options.tick());
    after(tick, Duration::ZERO); // 1
    after(0, Duration::ZERO);
    after(tick, STALL); // 2: stalled, but no tick long
    after(0, Duration::ZERO);
    after(tick, node.options.tick()); // 3: stalled
    after(0, node.options.tick());
    after(0, Duration::ZERO); // 4: no longer
    after(0, Duration::ZERO);
    session.end(&node, DownCause::Closed, "");
    after(tick, Duration::ZERO);
    let ages = [0, 200, 5_000, 0];
    assert_eq!(pings(&peer.join().unwrap()), (1..).zip(ages).collect::<Vec<_>>());
}

#[test]
fn no_ping_waits_behind_bytes_that_the_peer_has_not_read() {
    let (node, _lane, _poll) = node(NodeOptions::default(), RX_BYTES);
    let (session, ask, _read) = slow(&node);
    session.flush(&node, &frame(4 * MIB)).unwrap();
    let before = session.waiting();
    session.tick(&node, session.sent_at() + 60_000, Duration::ZERO);
    assert_eq!(session.waiting(), before);
    drop(ask);
    session.end(&node, DownCause::Closed, "");
}

#[test]
fn an_orderly_end_sends_what_waits_then_goodbye_and_waits_for_the_peer() {
    let (node, lane, _poll) = node(NodeOptions::default(), RX_BYTES);
    let (session, peer) = session(&node, NAME, frames_until_end);
    session.bulk(&node, 1, 0, &[&[0x80], &vec![0; MIB]]).unwrap();
    session.leave_in_order(&node, DownCause::Disconnect);
    session.leave_in_order(&node, DownCause::Stopping);
    let down = [DownCause::Disconnect as u8, 0, 0];
    assert_eq!(told(&lane), [Entry::new(session.id(), SESSION_DOWN, &down)]);
    assert!(node.session(session.id()).is_none());
    assert_eq!(session.flush(&node, &frame(10)), None, "nothing more is taken");
    assert_eq!(session.bulk(&node, 1, 0, &[&[0x80]]), None);
    while session.finish_leaving(&node) != Progress::Ended {
        std::thread::yield_now();
    }
    assert_eq!(told(&lane), [], "its end was told before");
    let got = peer.join().unwrap();
    let goodbye = (tag::GOODBYE, vec![DownCause::Disconnect as u8]);
    assert_eq!(got.last(), Some(&goodbye));
    let parts = got.iter().filter(|(tag, _)| *tag == tag::FRAGMENT);
    assert_eq!(parts.map(|(_, body)| body.len() - 5).sum::<usize>(), MIB + 1 + 8);
}

#[test]
fn a_session_counts_what_it_sends() {
    let (node, _lane, _poll) = node(NodeOptions::default(), RX_BYTES);
    let (session, peer) = session(&node, NAME, frames_until_end);
    let first = session.stats(&node).bytes_out;
    session.flush(&node, &frame(10)).unwrap();
    session.bulk(&node, 1, 0, &[&frame(1000)[4..]]).unwrap();
    while session.waiting() > 0 {
        assert!(!session.pump(&node));
    }
    let (stats, all) = (session.stats(&node), node.stats());
    assert_eq!((stats.bytes_out, stats.frames_out), (first + 1010, 2));
    assert_eq!((all.bytes_out, all.frames_out), (first + 1010, 2));
    session.end(&node, DownCause::Closed, "");
    peer.join().unwrap();
}
