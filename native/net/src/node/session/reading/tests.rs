//! What lanes get of the frames of a session, whichever thread reads.

use std::sync::Arc;

use snowmesh_core::frame::{Splitter, put_slot};

use super::*;
use crate::event::{NODE_SLOT, PEER_LOOP};
use crate::node::fixture::{
    self, Entry, Quiet, drain, entries_of, frame, message, message_frame, number_of, sends, session,
};
use crate::options::NodeOptions;

const NAME: &str = "b@127.0.0.1:1";
const RX_BYTES: usize = 4096;

/// A session of which the peer has sent `frames`.
fn with_frames(node: &Node, frames: Vec<u8>) -> Arc<Session> {
    let (session, peer) = session(node, NAME, sends(frames));
    // It stays open as long as the test runs.
    std::mem::forget(peer.join().unwrap());
    session
}

/// One turn of the loop: a read into a batch, after what waits.
fn turn(node: &Node, lane: &Lane, session: &Session, rx: &mut [u8], budget: usize) -> (Read, Vec<Entry>) {
    let mut batch = Batch::new(rx);
    let read = session.read(node, Some((lane, &mut batch)), budget);
    let filled = batch.finish();
    (read, entries_of(rx, &filled))
}

#[test]
fn no_frame_overtakes_another_whichever_way_it_takes() {
    const COUNT: u32 = 2_000;
    let mut frames = Vec::new();
    for number in 0..COUNT {
        let bytes = (number as usize * 7_919) % 2_500;
        if number % 25 == 5 {
            put_slot(&mut frames, 0x10_0000 + number, 1, &format!("n{number}@h:1"));
        }
        match number % 10 {
            0 => {
                let message = message(0, number, bytes);
                Splitter::new(number, message.len(), 1_000)
                    .for_each(|piece| piece.write(&message, &mut frames));
            }
            _ => frames.extend(message_frame(0, number, bytes)),
        }
    }
    for rx_bytes in [64, 700, RX_BYTES, 1 << 20] {
        let (node, lane, _poll) = fixture::node(NodeOptions::default(), rx_bytes);
        let session = with_frames(&node, frames[..400_000].to_vec());
        let mut rx = vec![0; rx_bytes];
        let mut got = Vec::new();
        lane.push(9, 0xFF, &[]);
        loop {
            let (read, entries) = turn(&node, &lane, &session, &mut rx, 100_000);
            // The other thread reads now and then, while the loop is stalled.
            if got.len() % 7 == 6 && session.read(&node, None, 10_000) == Read::Idle && lane.is_empty() {
                got.extend(entries);
                break;
            }
            got.extend(entries);
            if read == Read::Idle && lane.is_empty() && !session.has_unread() {
                break;
            }
        }
        let at = |found: &dyn Fn(&Entry) -> bool| got.iter().position(found).unwrap();
        for number in [5, 30, 155, 230] {
            let name = format!("n{number}@h:1");
            let slot = at(&|entry| entry.tag == NODE_SLOT && entry.body.ends_with(name.as_bytes()));
            let message = at(&|entry| entry.tag == tag::SEND && number_of(entry) == number);
            assert!(
                slot < message,
                "{rx_bytes}: a number is known before a message that may have it"
            );
        }
        got.retain(|entry| entry.tag == tag::SEND || entry.tag == 0xFF);
        assert_eq!(got.remove(0).tag, 0xFF, "what waited comes first");
        assert!(got.len() > 250, "{}", got.len());
        assert!(got.iter().map(number_of).eq(0..got.len() as u32), "{rx_bytes}");
        let lengths = |(number, entry): (usize, &Entry)| entry.body.len() == 18 + (number * 7_919) % 2_500;
        assert!(got.iter().enumerate().all(lengths));
        assert_eq!(session.stats(&node).frames_in, got.len() as u64);
        assert_eq!(node.stats().frames_in, got.len() as u64);
        session.end(&node, DownCause::Closed, "");
    }
}

#[test]
fn a_frame_goes_to_the_isolate_of_its_actor_and_to_the_first_when_that_is_gone() {
    let (node, first, _poll) = fixture::node(NodeOptions::default(), RX_BYTES);
    let second = node.attach(RX_BYTES, Box::new(Quiet)).unwrap();
    node.resume(&second, || {});
    let long = message(1, 3, 2_500);
    let mut frames = [
        message_frame(1, 0, 0),
        message_frame(2, 1, 0),
        message_frame(0, 2, 0),
    ]
    .concat();
    Splitter::new(1, long.len(), 1_000).for_each(|piece| piece.write(&long, &mut frames));
    let shape = [0, 0, 0, 0];
    let all = [frame(tag::SHAPE, &shape), frames].concat();
    let read = |frames: Vec<u8>, last: &Lane| {
        let session = with_frames(&node, frames);
        let _ = [&first, &second].map(|lane| drain(lane, RX_BYTES));
        while last.is_empty() || session.has_unread() {
            let _ = session.read(&node, None, 1 << 20);
        }
        let is_scheduled = [&first, &second].map(|lane| lane.is_scheduled());
        let got = [&first, &second].map(|lane| drain(lane, RX_BYTES));
        session.end(&node, DownCause::Closed, "");
        (is_scheduled, got)
    };
    let numbers = |entries: &[Entry]| {
        let sends = entries.iter().filter(|entry| entry.tag == tag::SEND);
        sends.map(number_of).collect::<Vec<_>>()
    };
    let (is_scheduled, [at_first, at_second]) = read(all.clone(), &second);
    assert_eq!(is_scheduled, [true; 2]);
    assert_eq!(
        (numbers(&at_first), numbers(&at_second)),
        (vec![1, 2], vec![0, 3])
    );
    for got in [&at_first, &at_second] {
        assert_eq!((got[0].tag, &got[0].body[..]), (tag::SHAPE, &shape[..]));
    }
    node.detach(&second);
    let (_, [at_first, at_second]) = read(all, &first);
    assert_eq!((numbers(&at_first), at_second.len()), (vec![0, 1, 2, 3], 0));
}

#[test]
fn lanes_are_told_while_the_loop_of_the_peer_is_stalled_and_once_when_it_is_not() {
    let (node, lane, _poll) = fixture::node(NodeOptions::default(), RX_BYTES);
    let tick = node.options.tick_ms;
    let mut frames = Vec::new();
    for (at, age) in [0, tick - 1, tick, tick + 1, 0, 0].into_iter().enumerate() {
        match at % 2 {
            0 => snowmesh_core::frame::put_ping(&mut frames, at as u64, age),
            _ => snowmesh_core::frame::put_pong(&mut frames, at as u64, age),
        }
    }
    let session = with_frames(&node, [frames, message_frame(0, 0, 0)].concat());
    let mut got = Vec::new();
    while got.last().is_none_or(|entry: &Entry| entry.tag != tag::SEND) {
        let _ = session.read(&node, None, 1 << 20);
        got.extend(drain(&lane, RX_BYTES));
    }
    let loops = got.iter().filter(|entry| entry.tag == PEER_LOOP);
    let loops: Vec<_> = loops.map(|entry| entry.body.clone()).collect();
    let body = |stalled: u8, age: u32| [&[stalled][..], &age.to_le_bytes()].concat();
    assert_eq!(loops, [body(1, tick), body(1, tick + 1), body(0, 0)]);
    session.end(&node, DownCause::Closed, "");
}

#[test]
fn a_ping_is_answered_with_its_sequence_and_the_age_of_the_loop() {
    let (node, _, _poll) = fixture::node(NodeOptions::default(), RX_BYTES);
    let (session, peer) = session(&node, NAME, |socket, mut channel| {
        let mut frames = fixture::first_frame();
        snowmesh_core::frame::put_ping(&mut frames, 77, 0);
        channel.seal(&frames).unwrap();
        assert!(channel.send(&socket).unwrap());
        fixture::frames_until_end(socket, channel)
    });
    let first = session.stats(&node).bytes_out;
    while session.stats(&node).bytes_out == first {
        let _ = session.read(&node, None, 1 << 20);
    }
    session.end(&node, DownCause::Closed, "");
    let pong = [&77_u64.to_le_bytes()[..], &[0; 4]].concat();
    assert_eq!(peer.join().unwrap().pop(), Some((tag::PONG, pong)));
}

#[test]
fn the_end_of_the_connection_is_told_after_the_frames_before_it() {
    let (node, lane, _poll) = fixture::node(NodeOptions::default(), RX_BYTES);
    for closes in [true, false] {
        let (session, peer) = session(&node, NAME, move |socket, mut channel| {
            // Were it unread, the connection would be reset.
            channel.receive(&socket, |_| {}).unwrap().opened.unwrap();
            let (socket, mut channel) = sends(message_frame(0, 5, 0))(socket, channel);
            if closes {
                channel.finish();
                assert!(channel.send(&socket).unwrap());
            }
            closes.then_some(socket)
        });
        let _open = peer.join().unwrap();
        while session.read(&node, None, 1 << 20) != Read::Ended {
            std::thread::yield_now();
        }
        let got = drain(&lane, RX_BYTES);
        let [.., message, down] = &got[..] else {
            panic!("{got:?}")
        };
        assert_eq!(
            (number_of(message), down.tag, down.body[0]),
            (5, crate::event::SESSION_DOWN, 0)
        );
    }
}
