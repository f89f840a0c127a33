//! When the id of an ended session is free, and what lanes learn of sessions.

use super::*;
use crate::event::STOPPED;
use crate::node::fixture::{self, Quiet, drain};
use crate::options::NodeOptions;

const NAME: &str = "b@127.0.0.1:1";

/// A session that ends at once; gives its id.
fn ended(node: &Node) -> u16 {
    let (session, peer) = fixture::session(node, NAME, |socket, _| socket);
    session.end(node, DownCause::Closed, "");
    peer.join().unwrap();
    session.id()
}

/// All ids that may be given now; each of them is in use afterwards.
fn free(node: &Node) -> usize {
    std::iter::from_fn(|| node.reserve_id()).count()
}

#[test]
fn an_id_is_not_given_again_before_every_lane_has_taken_the_end_of_its_session() {
    let (node, first, _poll) = fixture::node(NodeOptions::default(), 4096);
    let second = node.attach(4096, Box::new(Quiet)).unwrap();
    node.resume(&second, || {});
    let [taken, forgotten, not_taken] = [(); 3].map(|()| ended(&node));
    assert_eq!(free(&node), usize::from(u16::MAX) - 3, "0 is no session");
    node.down_taken(taken, &first);
    node.down_taken(taken, &first);
    assert_eq!(
        free(&node),
        0,
        "the second lane could mistake it for the next session"
    );
    node.down_taken(taken, &second);
    assert_eq!((node.reserve_id(), free(&node)), (Some(taken), 0));
    node.down_taken(taken, &first);
    assert_eq!(free(&node), 0, "the id is of a session that has not ended");
    node.down_taken(forgotten, &first);
    node.detach(&second);
    assert_eq!((node.reserve_id(), free(&node)), (Some(forgotten), 0));
    node.down_taken(not_taken, &first);
    assert_eq!(free(&node), 1);
}

#[test]
fn a_lane_that_is_not_told_of_sessions_yet_holds_no_id() {
    let (node, first, _poll) = fixture::node(NodeOptions::default(), 4096);
    let second = node.attach(4096, Box::new(Quiet)).unwrap();
    let id = ended(&node);
    assert!(drain(&second, 4096).is_empty());
    free(&node);
    node.down_taken(id, &first);
    assert_eq!(free(&node), 1);
}

#[test]
fn the_end_of_a_session_leaves_its_successor_alone() {
    let (node, lane, _poll) = fixture::node(NodeOptions::default(), 4096);
    let (old, old_peer) = fixture::session(&node, NAME, |socket, _| socket);
    let (new, new_peer) = fixture::session(&node, NAME, |socket, _| socket);
    node.queue_for_loop(old.clone());
    node.queue_for_loop(new.clone());
    old.end(&node, DownCause::Replaced, "");
    old.end(&node, DownCause::Closed, "");
    let of_name = node.session_of(NAME).map(|session| session.id());
    assert_eq!(of_name, Some(new.id()));
    let ids = |sessions: Vec<Arc<Session>>| sessions.iter().map(|session| session.id()).collect::<Vec<_>>();
    assert_eq!(ids(node.sessions()), [new.id()]);
    assert_eq!(ids(node.take_new_sessions()), [new.id()]);
    assert_eq!(ids(node.take_queued_for_loop()), [new.id()]);
    node.queue_for_loop(old.clone());
    assert!(node.take_queued_for_loop().is_empty(), "it has ended");
    let got = drain(&lane, 4096);
    let of = |tag| {
        got.iter()
            .filter(move |entry| entry.tag == tag)
            .map(|entry| entry.session)
    };
    assert_eq!(of(SESSION_UP).collect::<Vec<_>>(), [old.id(), new.id()]);
    assert_eq!(of(SESSION_DOWN).collect::<Vec<_>>(), [old.id()], "once");
    for peer in [old_peer, new_peer] {
        peer.join().unwrap();
    }
}

#[test]
fn a_lane_that_is_attached_later_learns_of_the_numbers_given_before_and_after() {
    let (node, first, _poll) = fixture::node(NodeOptions::default(), 4096);
    node.number("early@h:1", 1).unwrap();
    let second = node.attach(4096, Box::new(Quiet)).unwrap();
    node.number("early@h:1", 2).unwrap();
    node.resume(&second, || second.push(0, STOPPED, &[]));
    node.number("late@h:1", 1).unwrap();
    node.number("early@h:1", 1).unwrap();
    let [first, mut second] = [&first, &second].map(|lane| drain(lane, 4096));
    assert_eq!(
        first.iter().map(|entry| entry.tag).collect::<Vec<_>>(),
        [NODE_SLOT; 3]
    );
    assert_eq!(
        second.remove(2).tag,
        STOPPED,
        "sessions follow the numbers that they need"
    );
    assert_eq!(first, second);
}

#[test]
fn a_number_that_is_forgotten_is_announced_before_the_one_that_takes_its_place() {
    let (node, lane, _poll) = fixture::node(NodeOptions::default(), 4096);
    let numbered = Numbered {
        nc: 600,
        is_new: true,
        forgotten: Some(300),
    };
    assert_eq!(node.announce_number(numbered, "new@h:1", 1), 600);
    let got = drain(&lane, 4096);
    let tags: Vec<_> = got.iter().map(|entry| entry.tag).collect();
    assert_eq!(tags, [NODE_FORGOTTEN, NODE_SLOT]);
    assert_eq!(
        got.first().map(|entry| &entry.body[..]),
        Some(&[0x2C, 1, 0, 0][..])
    );
}

#[test]
fn a_session_is_up_until_it_ends() {
    let (node, _lane, _poll) = fixture::node(NodeOptions::default(), 4096);
    let up = || node.tables.lock().up.iter().copied().collect::<Vec<_>>();
    let (session, peer) = fixture::session(&node, NAME, |socket, _| socket);
    assert_eq!(up(), [session.up_at()]);
    session.end(&node, DownCause::Closed, "");
    assert!(up().is_empty());
    peer.join().unwrap();
}
