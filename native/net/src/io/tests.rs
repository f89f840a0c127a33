//! Turns of an I/O loop that does not run: the test calls it.

use std::io::Read as _;
use std::sync::atomic::{AtomicUsize, Ordering};

use snowmesh_core::frame::tag;

use super::*;
use crate::event::{CONNECT_RESULT, DialReason, DownCause, NODE_SLOT, SESSION_DOWN, SESSION_UP, STOPPED};
use crate::lane::Lane;
use crate::node::DialRequest;
use crate::node::fixture::{self, Quiet, drain, entries_of, message_frame, number_of, sends, session};
use crate::options::NodeOptions;

const NAME: &str = "b@127.0.0.1:1";
const RX_BYTES: usize = 640 * 1024;
const INBOX_BYTES: u32 = 64 * 1024;

pub(super) fn io_loop(options: NodeOptions) -> IoLoop {
    let (node, _, poll) = fixture::node(options, RX_BYTES);
    let listener = TcpListener::bind(([127, 0, 0, 1], 0).into()).unwrap();
    IoLoop::new(node, poll, listener, TlsConfig::generate().unwrap()).unwrap()
}

pub(super) fn lane_of(io: &IoLoop) -> Arc<Lane> {
    io.node.lanes()[0].clone().unwrap()
}

/// Messages from 0 on, together more than an inbox.
fn messages(count: u32) -> Vec<u8> {
    (0..count)
        .flat_map(|number| message_frame(0, number, 4096))
        .collect()
}

#[test]
fn a_session_that_waits_for_room_is_read_on_when_half_of_the_inbox_is_free() {
    let mut io = io_loop(NodeOptions {
        inbox_bytes: INBOX_BYTES,
        ..NodeOptions::default()
    });
    let (node, lane) = (io.node.clone(), lane_of(&io));
    let (session, peer) = session(&node, NAME, sends(messages(100)));
    let _open = peer.join().unwrap();
    session.set_read_by_thread(&node, true);
    let mut got = Vec::new();
    io.unfinished.insert(session.id(), session.clone());
    while got.len() < 100 {
        io.run_turns();
        assert!(io.unfinished.is_empty());
        assert_eq!(io.held.contains_key(&session.id()), node.is_inbound_blocked());
        let mut rx = vec![0; 4500];
        let (mut took, mut half) = (0, false);
        while !lane.is_empty() {
            let mut batch = crate::batch::Batch::new(&mut rx);
            lane.drain(&mut batch);
            let filled = batch.finish();
            took += filled.entries;
            got.extend(
                entries_of(&rx, &filled)
                    .into_iter()
                    .filter(|entry| entry.tag == tag::SEND),
            );
            node.lane_drained(&lane);
            let commands = node.take_commands();
            let resumes = took > 0 && !half && lane.bytes() < INBOX_BYTES as usize / 2 && !io.held.is_empty();
            assert_eq!(commands.len(), usize::from(resumes), "once");
            if resumes {
                half = true;
                assert!(!lane.is_empty() && lane.is_scheduled());
                assert!(matches!(commands[0], Command::Resume));
                node.command(Command::Resume);
                io.run_commands();
                assert!(io.held.is_empty() && io.unfinished.contains_key(&session.id()));
                lane.begin_drain();
            }
        }
    }
    assert!(got.iter().map(number_of).eq(0..100));
    session.end(&node, DownCause::Closed, "");
}

#[test]
fn a_stop_answers_every_dial_ends_every_session_and_tells_last_that_it_is_done() {
    let mut io = io_loop(NodeOptions::default());
    let (node, lane) = (io.node.clone(), lane_of(&io));
    let (session, peer) = session(&node, NAME, fixture::frames_until_end);
    let dial = |request| DialRequest {
        request,
        name: "x@x.invalid:1".to_owned(),
        host: "x.invalid".to_owned(),
        port: 1,
        reason: DialReason::Asked,
    };
    io.lookups.resolve = |_, _| Ok(Vec::new());
    io.dial(dial(1));
    let to = io.listener.as_ref().unwrap().local_addr().unwrap();
    let mut stranger = std::net::TcpStream::connect(to).unwrap();
    while io.handshakes.is_empty() {
        io.accept_all();
    }
    assert_eq!(node.stats().handshakes, 1);
    drain(&lane, RX_BYTES);
    node.close();
    io.run_commands();
    io.dial(dial(2));
    assert!(io.listener.is_none() && io.dials.is_empty() && !io.is_over());
    assert_eq!(node.stats().handshakes, 0);
    assert!(matches!(stranger.read(&mut [0]), Ok(0) | Err(_)), "it is closed");
    let mut events = Events::with_capacity(16);
    while !io.leaving.is_empty() {
        assert!(io.turn(&mut events));
    }
    assert!(io.is_over());
    io.end_all();
    let got: Vec<_> = drain(&lane, RX_BYTES)
        .into_iter()
        .map(|entry| (entry.tag, entry.session, entry.body.first().copied()))
        .collect();
    let stopping = Some(DownCause::Stopping as u8);
    assert_eq!(
        got,
        [
            (CONNECT_RESULT, 0, Some(1)),
            (SESSION_DOWN, session.id(), stopping),
            (CONNECT_RESULT, 0, Some(2)),
            (STOPPED, 0, None)
        ]
    );
    assert_eq!(
        peer.join().unwrap().last(),
        Some(&(tag::GOODBYE, vec![DownCause::Stopping as u8]))
    );
}

#[test]
fn a_hangup_ends_its_session_in_order_and_no_other() {
    let mut io = io_loop(NodeOptions::default());
    let node = io.node.clone();
    let [(one, _peer), (other, _)] =
        [NAME, "c@127.0.0.1:1"].map(|name| session(&node, name, fixture::frames_until_end));
    node.hangup(one.id(), DownCause::Disconnect);
    node.hangup(60_000, DownCause::Disconnect);
    io.run_commands();
    assert_eq!(io.leaving.keys().collect::<Vec<_>>(), [&one.id()]);
    assert!(node.session(other.id()).is_some());
    io.end_all();
}

#[test]
fn a_lane_that_attaches_later_is_told_of_sessions_and_their_shapes() {
    let mut io = io_loop(NodeOptions::default());
    let node = io.node.clone();
    let shape = [&[0, 0, 1, 0][..], &[1, 0, b'k']].concat();
    let frames = [fixture::frame(tag::SHAPE, &shape), message_frame(1, 0, 0)].concat();
    let (session, peer) = session(&node, NAME, sends(frames));
    let _open = peer.join().unwrap();
    session.set_read_by_thread(&node, true);
    let first = lane_of(&io);
    while !drain(&first, RX_BYTES).iter().any(|entry| entry.tag == tag::SEND) {
        io.read(session.clone());
    }
    let second = node.attach(RX_BYTES, Box::new(Quiet)).unwrap();
    assert!(drain(&second, RX_BYTES).is_empty());
    io.run_commands();
    assert!(second.is_scheduled());
    let got = drain(&second, RX_BYTES);
    assert_eq!(
        got.iter()
            .map(|entry| (entry.tag, entry.session))
            .collect::<Vec<_>>(),
        [
            (NODE_SLOT, 0),
            (SESSION_UP, session.id()),
            (tag::SHAPE, session.id())
        ]
    );
    assert_eq!(
        (&got[1].body, &got[2].body),
        (&session.up_body().bytes().to_vec(), &shape)
    );
    session.end(&node, DownCause::Closed, "");
    io.attach(&second);
    let got = drain(&second, RX_BYTES);
    assert!(!got.iter().any(|entry| entry.tag == SESSION_UP), "it has ended");
}

#[test]
fn the_last_lane_has_the_last_scheduler_index() {
    let (node, _, _poll) = fixture::node(NodeOptions::default(), RX_BYTES);
    let lanes: Vec<_> = (1..64)
        .map(|_| node.attach(64, Box::new(Quiet)).unwrap())
        .collect();
    assert!(lanes.iter().map(|lane| lane.index()).eq(1..64));
    assert!(node.attach(64, Box::new(Quiet)).is_err());
    node.detach(&lanes[6]);
    assert_eq!(node.attach(64, Box::new(Quiet)).unwrap().index(), 7);
}

#[test]
fn an_incoming_handshake_has_a_deadline_and_is_closed_when_it_is_over() {
    for (handshake_ms, lasts) in [(600_000, true), (0, false)] {
        let mut io = io_loop(NodeOptions {
            handshake_ms,
            ..NodeOptions::default()
        });
        let to = io.listener.as_ref().unwrap().local_addr().unwrap();
        let _stranger = std::net::TcpStream::connect(to).unwrap();
        while io.last_handshake == 0 {
            io.accept_all();
        }
        assert_eq!(io.handshakes.len(), usize::from(lasts));
        assert_eq!(io.deadlines.next().is_some(), lasts);
    }
}

#[test]
fn a_lane_that_was_detached_is_never_woken() {
    struct Counting(Arc<AtomicUsize>);
    impl crate::lane::Wake for Counting {
        fn wake(&self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
    let (node, _, _poll) = fixture::node(NodeOptions::default(), RX_BYTES);
    let wakes = Arc::<AtomicUsize>::default();
    let lane = node.attach(64, Box::new(Counting(wakes.clone()))).unwrap();
    lane.request_drain();
    assert_eq!(wakes.load(Ordering::SeqCst), 1);
    lane.begin_drain();
    node.detach(&lane);
    lane.request_drain();
    assert_eq!(wakes.load(Ordering::SeqCst), 1);
    assert_eq!(Arc::strong_count(&wakes), 1, "the wake was dropped, too");
}
