//! Sessions of correct nodes, and of authenticated peers that break the protocol.

mod support;

use std::collections::HashMap;

use snowmesh_net::{DialReason, NodeOptions};
use support::raw::{Identity, Raw, frame, local};
use support::{COOKIE, DOWN, REFUSED, SEND, TestNode, UP, options};

const PROTOCOL: u8 = 4;
const WRONG_NAME: u8 = 5;
const REPLACED: u8 = 3;
const CLOSED: u8 = 0;
const DISPLACED: u8 = 8;
const NAME_TAKEN: u8 = 8;
const GOODBYE: u8 = 0x39;
const STOPPED: u8 = 0xA8;

#[test]
fn k8_a_storm_of_dials_ends_with_one_session_for_each_pair() {
    for _ in 0..5 {
        let mut nodes: Vec<TestNode> = (0..6)
            .map(|index| TestNode::start(&format!("n{index}")))
            .collect();
        let peers: Vec<(String, u16)> = nodes
            .iter()
            .map(|node| (node.name.clone(), node.node.port()))
            .collect();
        for (me, node) in nodes.iter().enumerate() {
            for (other, (name, port)) in peers.iter().enumerate().filter(|(other, _)| *other != me) {
                node.node.dial(
                    other as u32,
                    name.clone(),
                    "127.0.0.1".to_owned(),
                    *port,
                    DialReason::Asked,
                );
            }
        }
        for node in &mut nodes {
            node.until("all dials are answered", |node| {
                node.entries
                    .iter()
                    .filter(|entry| entry.tag == support::CONNECT)
                    .count()
                    == 5
            });
            assert!(
                node.entries
                    .iter()
                    .filter(|entry| entry.tag == support::CONNECT)
                    .all(|e| e.body[4] == 0)
            );
        }
        for node in &mut nodes {
            assert_eq!((node.count(UP), node.count(DOWN)), (5, 0));
            assert_eq!(node.node.stats().sessions, 5);
        }
        // What one side sends over its session arrives on the other's: they hold the same connection.
        for node in &mut nodes {
            let sessions: Vec<_> = node
                .entries
                .iter()
                .filter(|entry| entry.tag == UP)
                .cloned()
                .collect();
            for up in sessions {
                node.send(up.session, up.u32(0), 9);
            }
        }
        for node in &mut nodes {
            node.until("a message of each peer", |node| node.numbers() == [9; 5]);
        }
    }
}

#[test]
fn k9_k10_three_hundred_replacements_alternate_and_leave_the_last_one_alone() {
    let mut a = TestNode::start("a");
    let mut olds = Vec::new();
    for incarnation in 1..=300 {
        olds.push(Raw::session(&a, "raw@127.0.0.1:1", incarnation));
        if olds.len() > 3 {
            // A late frame and a late error of an old session.
            let mut old = olds.remove(0);
            let _ = old.write(&frame(0x7F, &[1, 2, 3]));
        }
    }
    a.until("the last one is up", |a| {
        a.entries
            .iter()
            .any(|entry| entry.tag == UP && entry.body[4..12] == 300_u64.to_le_bytes())
    });
    let mut alive = HashMap::new();
    for entry in a.entries.iter().filter(|entry| [UP, DOWN].contains(&entry.tag)) {
        if entry.tag == UP {
            assert!(alive.is_empty(), "the old one ended first");
            assert!(alive.insert(entry.session, ()).is_none());
        } else {
            assert!(alive.remove(&entry.session).is_some());
            assert!([REPLACED, PROTOCOL, CLOSED].contains(&entry.body[0]));
        }
    }
    assert_eq!(alive.len(), 1);
    let last = olds.last_mut().unwrap();
    last.write(&send(1, 77)).unwrap();
    a.until("the last one works", |a| a.numbers().contains(&77));
}

#[test]
fn k9_the_same_incarnation_dialling_again_has_lost_its_end() {
    let mut a = TestNode::start("a");
    let _half_open = Raw::session(&a, "raw@127.0.0.1:1", 5);
    a.find("the first", |entry| entry.tag == UP);
    let mut again = Raw::session(&a, "raw@127.0.0.1:1", 5);
    let down = a.find("the end of the first", |entry| entry.tag == DOWN);
    assert_eq!(down.body[0], REPLACED);
    again.write(&send(1, 3)).unwrap();
    a.until("the second works", |a| a.numbers() == [3]);
    let ncs: Vec<u32> = a
        .entries
        .iter()
        .filter(|entry| entry.tag == UP)
        .map(|entry| entry.u32(0))
        .collect();
    assert_eq!(ncs[0], ncs[1], "M3: the same incarnation keeps its number");
}

#[test]
fn a_member_cannot_take_the_name_and_incarnation_of_another() {
    let mut a = TestNode::start("a");
    let (real, impostor) = (Identity::new(), Identity::new());
    let mut held = Raw::session_with(&a, "raw@127.0.0.1:1", 5, &real);
    a.find("the first", |entry| entry.tag == UP);
    for _ in 0..3 {
        let mut other = Raw::dial_with(a.address(), &impostor).unwrap();
        let refused = other.prove(&local("raw@127.0.0.1:1", 5), COOKIE, &a.name);
        assert!(refused.unwrap_err().contains("another node"));
    }
    a.until("it is told", |a| {
        a.entries.iter().filter(|entry| entry.tag == REFUSED).count() == 3
    });
    held.write(&send(1, 3)).unwrap();
    a.until("the real one is still up", |a| a.numbers() == [3]);
    assert_eq!(a.count(DOWN), 0);
    // Also when the real one is away, and it may come back.
    drop(held);
    a.find("the end of the first", |entry| entry.tag == DOWN);
    let mut other = Raw::dial_with(a.address(), &impostor).unwrap();
    assert!(
        other
            .prove(&local("raw@127.0.0.1:1", 5), COOKIE, &a.name)
            .is_err()
    );
    let mut again = Raw::session_with(&a, "raw@127.0.0.1:1", 5, &real);
    again.write(&send(1, 4)).unwrap();
    a.until("the real one is back", |a| a.numbers() == [3, 4]);
}

/// A node that is started with the name and incarnation of another one has a key of its own.
#[test]
fn a_node_with_the_name_and_incarnation_of_another_is_neither_dialled_nor_accepted() {
    let mut a = TestNode::start("a");
    let start = |port: u16| {
        let mut given = options("b");
        given.name = format!("b@127.0.0.1:{port}");
        given.listen_port = port;
        given.incarnation = 9;
        TestNode::open(given)
    };
    let real = start(0);
    let (name, port) = (real.name.clone(), real.node.port());
    assert_eq!(a.dial(1, &name, port), 0);
    drop(real);
    a.find("the end of the real one", |entry| entry.tag == DOWN);
    let mut impostor = start(port);
    assert_eq!(a.dial(2, &name, port), WRONG_NAME);
    impostor.find("a closed the connection", |entry| entry.tag == DOWN);
    assert_eq!(impostor.dial(1, &a.name, a.node.port()), WRONG_NAME);
    assert_eq!(a.count(UP), 1);
}

#[test]
fn a_peer_without_a_certificate_is_closed_in_tls() {
    let a = TestNode::start("a");
    let mut raw = Raw::dial_without_identity(a.address()).unwrap();
    assert!(raw.prove(&local("raw@127.0.0.1:1", 5), COOKIE, &a.name).is_err());
}

/// The lane is full, so the frames wait in the session while the damage is known already.
#[test]
fn frames_before_a_damaged_record_arrive_also_when_the_lane_is_full() {
    use std::io::Write;
    const FIRST: i32 = 4_000;
    const COUNT: i32 = FIRST + 3_300;
    let mut a = TestNode::open(NodeOptions {
        inbox_bytes: 65_536,
        ..options("a")
    });
    let mut raw = Raw::session(&a, "raw@127.0.0.1:1", 5);
    a.find("the session", |entry| entry.tag == UP);
    let frames = |range: std::ops::Range<i32>| range.flat_map(|value| send(1, value)).collect::<Vec<_>>();
    write_all(&mut raw, &frames(0..FIRST));
    while a.node.stats().inbox_bytes < 65_536 {
        std::thread::yield_now();
    }
    // The I/O thread reads no more. What comes now is read at once later, and does not fit into the inbox either.
    write_all(&mut raw, &frames(FIRST..COUNT));
    raw.socket.write_all(&[23, 3, 3, 0, 32]).unwrap();
    raw.socket.write_all(&[0; 32]).unwrap();
    let down = a.find("the end", |entry| entry.tag == DOWN);
    assert_eq!(down.body[0], PROTOCOL);
    assert_eq!(a.numbers(), (0..COUNT).collect::<Vec<_>>());
}

/// In pieces that fit into the buffer of the TLS layer.
fn write_all(raw: &mut Raw, bytes: &[u8]) {
    for piece in bytes.chunks(16_384) {
        raw.write(piece).unwrap();
    }
}

#[test]
fn t1_every_malformed_frame_ends_its_session_after_what_came_before() {
    let mut a = TestNode::start("a");
    let mut bystander = Raw::session(&a, "by@127.0.0.1:1", 1);
    let not_mine = (300_u64 << 40 | 1).to_le_bytes();
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("length 0", vec![0; 4]),
        ("length over the limit", vec![1, 0, 0, 1, SEND]),
        ("unknown tag", frame(0x7F, &[])),
        ("no term", frame(SEND, &(257_u64 << 40 | 1).to_le_bytes())),
        ("trailing bytes", frame(0x39, &[0, 0])),
        (
            "unannounced number",
            frame(SEND, &[&not_mine[..], &[2, 0x41]].concat()),
        ),
        (
            "a link from a stranger",
            frame(0x13, &[not_mine, not_mine].concat()),
        ),
        ("a fragment of nothing", frame(0x32, &[1, 0, 0, 0, 0, 1])),
        (
            "a list that is not there",
            frame(SEND, &[&pid(1)[..], &[2, 0x0A, 255, 255, 255, 255]].concat()),
        ),
        ("a handshake frame", frame(0x01, &[1; 90])),
    ];
    for (index, (what, bytes)) in (0_i32..).zip(&cases) {
        let name = format!("raw{index}@127.0.0.1:1");
        let mut raw = Raw::session(&a, &name, 9);
        raw.write(&[send(1, index), bytes.clone(), send(1, -1)].concat())
            .unwrap();
        let up = a.find(what, |entry| {
            entry.tag == UP && entry.body.ends_with(name.as_bytes())
        });
        let down = a.find(what, |entry| entry.tag == DOWN && entry.session == up.session);
        assert_eq!(
            down.body[0],
            PROTOCOL,
            "{what}: {}",
            String::from_utf8_lossy(&down.body[3..])
        );
        assert_eq!(a.numbers().last(), Some(&index), "T2: {what}");
        assert!(raw.is_closed() || raw.is_closed(), "{what}");
    }
    bystander.write(&send(1, 1000)).unwrap();
    a.until("the other session lives", |a| a.numbers().last() == Some(&1000));
}

#[test]
fn a_session_that_does_not_begin_with_our_pair_ends() {
    let mut a = TestNode::start("a");
    let mut raw = Raw::dial(a.address()).unwrap();
    raw.prove(&local("raw@127.0.0.1:1", 5), COOKIE, &a.name).unwrap();
    raw.write(&send(1, 1)).unwrap();
    assert_eq!(a.find("the end", |entry| entry.tag == DOWN).body[0], PROTOCOL);
    assert!(a.numbers().is_empty());
}

#[test]
fn frames_that_came_with_the_last_one_of_the_handshake_are_not_lost() {
    let mut a = TestNode::start("a");
    for round in 0..50 {
        let mut raw = Raw::dial(a.address()).unwrap();
        let me = local(&format!("raw{round}@127.0.0.1:1"), 5);
        raw.prove(&me, COOKIE, &a.name).unwrap();
        let mut first = Vec::new();
        snowmesh_core::frame::put_slot(&mut first, 257, a.node.incarnation(), &a.name);
        raw.write(&[first, send(1, round)].concat()).unwrap();
        a.until("it arrives", |a| a.numbers().contains(&round));
    }
}

#[test]
fn p4_a_sender_that_dies_in_the_middle_of_a_message_gives_its_memory_back() {
    let mut a = TestNode::start("a");
    let mut raw = Raw::session(&a, "raw@127.0.0.1:1", 5);
    let mut first = vec![9, 0, 0, 0, 1];
    first.extend_from_slice(&(100_u64 << 20).to_le_bytes());
    first.extend_from_slice(&[7; 1000]);
    raw.write(&frame(0x32, &first)).unwrap();
    // The sender gives up: last piece before all bytes came. The session stays.
    raw.write(&frame(0x32, &[9, 0, 0, 0, 2])).unwrap();
    raw.write(&send(1, 4)).unwrap();
    a.until("the session stays", |a| a.numbers() == [4]);
    raw.write(&frame(0x32, &first)).unwrap();
    drop(raw);
    assert_eq!(a.find("the end", |entry| entry.tag == DOWN).body[0], CLOSED);
}

#[test]
fn p7_a_peer_that_tells_of_many_nodes_known_here_keeps_its_session() {
    let mut a = TestNode::start("a");
    let mut raw = Raw::session(&a, "raw@127.0.0.1:1", 5);
    // As many as have been met here in a long life, each in its own time.
    let mut bytes = Vec::new();
    for incarnation in 1..=70_000_u32 {
        a.node.number("n@h:1", incarnation.into()).unwrap();
        let number = 0x200 + incarnation;
        snowmesh_core::frame::put_slot(&mut bytes, number, incarnation.into(), "n@h:1");
        if incarnation % 10_000 == 0 {
            write_all(&mut raw, &std::mem::take(&mut bytes));
            a.drain();
            a.entries.retain(|entry| entry.tag == DOWN);
        }
    }
    raw.write(&send(1, 7)).unwrap();
    a.find("a message, or the end", |entry| {
        entry.tag == SEND || entry.tag == DOWN
    });
    assert_eq!((a.numbers(), a.count(DOWN)), (vec![7], 0));
}

fn pid(local: u64) -> [u8; 8] {
    (257_u64 << 40 | local).to_le_bytes()
}

/// A SEND of a small integer to the node's actor with that local id, in the raw peer's numbering.
fn send(local: u64, value: i32) -> Vec<u8> {
    frame(
        SEND,
        &[&pid(local)[..], &[2, 0x22], &value.to_le_bytes()].concat(),
    )
}

#[test]
fn a_node_that_stops_tells_so_last() {
    let mut a = TestNode::start("a");
    let _raw = Raw::session(&a, "raw@127.0.0.1:1", 5);
    a.find("the session", |entry| entry.tag == UP);
    a.node.close();
    a.find("the end", |entry| entry.tag == STOPPED);
    let ends = a.entries.iter().map(|entry| entry.tag);
    let ends: Vec<u8> = ends.filter(|tag| [DOWN, STOPPED].contains(tag)).collect();
    assert_eq!(ends, [DOWN, STOPPED]);
    a.node.join();
    assert!(Raw::dial(a.address()).is_err(), "it no longer listens");
}

#[test]
fn an_option_outside_of_its_range_opens_no_node() {
    struct Deaf;
    impl snowmesh_net::Wake for Deaf {
        fn wake(&self) {}
    }
    let bad = NodeOptions {
        tick_ms: 9,
        ..options("a")
    };
    let opened = snowmesh_net::Hub::of_process().open(bad, 640 * 1024, Box::new(Deaf));
    assert_eq!(
        opened.err().unwrap().to_string(),
        "option tickMs must be 10 to 3 600 000"
    );
}

#[test]
fn of_two_live_nodes_with_one_name_the_second_is_refused() {
    let mut a = TestNode::start("a");
    let name = "raw@127.0.0.1:1";
    let (first, second) = (Identity::new(), Identity::new());
    let mut displaced = Raw::session_with(&a, name, 5, &first);
    a.find("the first", |entry| entry.tag == UP);
    let mut intruder = Raw::session_with(&a, name, 6, &second);
    let goodbye = loop {
        let (tag, body) = displaced.frame().unwrap();
        if tag == GOODBYE {
            break body;
        }
    };
    assert_eq!(goodbye, [REPLACED], "it may be alive, and is told");

    let _back = Raw::session_with(&a, name, 5, &first);
    a.until("the first is back", |a| {
        a.entries.iter().filter(|entry| entry.tag == UP).count() == 3
    });
    while intruder.frame().is_ok() {}
    for _ in 0..3 {
        let mut again = Raw::dial_with(a.address(), &second).unwrap();
        let refusal = again.prove(&local(name, 6), COOKIE, &a.name).unwrap_err();
        assert!(refusal.contains("another node of that name"), "{refusal}");
    }
    assert_eq!(a.count(DOWN), 2, "two displacements");
    let report = a.find("a report", |entry| entry.tag == REFUSED);
    assert_eq!(report.body[report.body.len() - 5], NAME_TAKEN);
}

/// Each of its incarnations takes the name once. The last two know of each other only.
#[test]
fn a_member_with_many_incarnations_does_not_keep_a_name_from_its_node() {
    let mut a = TestNode::start("a");
    let name = "raw@127.0.0.1:1";
    let (real, member) = (Identity::new(), Identity::new());
    let ups = |a: &TestNode| a.entries.iter().filter(|entry| entry.tag == UP).count();
    let mut held = Vec::new();
    for (incarnation, identity) in [(5, &real), (6, &member), (7, &member), (5, &real)] {
        held.push(Raw::session_with(&a, name, incarnation, identity));
        a.until("it is up", |a| ups(a) == held.len());
    }
    for incarnation in [6, 7] {
        let mut again = Raw::dial_with(a.address(), &member).unwrap();
        let refusal = again
            .prove(&local(name, incarnation), COOKIE, &a.name)
            .unwrap_err();
        assert!(refusal.contains("another node of that name"), "{refusal}");
    }
    held.last_mut().unwrap().write(&send(1, 3)).unwrap();
    a.until("the node is still up", |a| a.numbers() == [3]);
    assert_eq!(a.count(DOWN), 3);
}

#[test]
fn a_node_that_another_one_displaced_is_told_so() {
    let mut a = TestNode::start("a");
    let mut raw = Raw::session(&a, "raw@127.0.0.1:1", 5);
    a.find("the session", |entry| entry.tag == UP);
    raw.write(&frame(GOODBYE, &[REPLACED])).unwrap();
    let down = a.find("its end", |entry| entry.tag == DOWN);
    assert_eq!(down.body[0], DISPLACED);
}

#[test]
fn every_frame_that_a_lane_sends_is_counted_once() {
    let mut a = TestNode::start("a");
    let mut b = TestNode::start("b");
    let port = b.node.port();
    assert_eq!(a.dial(1, &b.name.clone(), port), 0);
    let up = a.find("the session", |entry| entry.tag == UP);
    let session = a.node.session(up.session).unwrap();
    let [one, two] = [7, 8].map(|value: i32| {
        let mut body = (u64::from(up.u32(0)) << 40 | 1).to_le_bytes().to_vec();
        body.extend_from_slice(&[2, 0x22]);
        body.extend_from_slice(&value.to_le_bytes());
        frame(SEND, &body)
    });
    session
        .flush(&a.node, &[one.clone(), two.clone()].concat())
        .unwrap();
    session.flush(&a.node, &two).unwrap();
    session.flush(&a.node, &[]).unwrap();
    session.bulk(&a.node, 1, 0, &[&one[4..]]).unwrap();
    b.until("all arrived", |b| b.numbers().len() == 4);
    let sent = session.stats(&a.node);
    assert_eq!((sent.frames_out, a.node.stats().frames_out), (4, 4));
    assert_eq!(sent.frames_in, 0);
}
