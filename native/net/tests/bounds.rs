//! What an authenticated peer can cost: every queue that it can fill has a limit.

mod support;

use std::time::{Duration, Instant};

use snowmesh_core::frame::put_slot;
use snowmesh_net::NodeOptions;
use support::raw::{Raw, frame, local};
use support::{COOKIE, DOWN, SEND, TestNode, UP, options};

const PING: u8 = 0xF0;
const INBOX_BYTES: u64 = 65_536;

#[test]
fn p1_a_peer_that_asks_and_never_reads_does_not_own_our_memory() {
    let outbox_bytes = 1 << 20;
    let mut a = TestNode::open(NodeOptions {
        outbox_bytes,
        ..options("a")
    });
    let mut raw = Raw::session(&a, "raw@127.0.0.1:1", 5);
    let up = a.find("the session", |entry| entry.tag == UP);
    let pings = frame(PING, &[0; 12]).repeat(4_000);
    let mut most = 0;
    for _ in 0..800 {
        if raw.write(&pings).is_err() {
            break;
        }
        most = most.max(a.node.stats().outbox_bytes);
    }
    assert!(most <= u64::from(outbox_bytes), "{most} bytes of answers waited");
    assert_eq!(a.count(DOWN), 0, "it is not ended for it: {:?}", up.session);
}

#[test]
fn p1_a_full_inbox_takes_no_more_however_often_bytes_arrive() {
    let a = TestNode::open(NodeOptions {
        inbox_bytes: INBOX_BYTES as u32,
        ..options("a")
    });
    let mut raw = Raw::session(&a, "raw@127.0.0.1:1", 5);
    raw.socket
        .set_write_timeout(Some(Duration::from_millis(300)))
        .unwrap();
    let body = [
        &(257_u64 << 40 | 1).to_le_bytes()[..],
        &[2, 0x09, 0, 0x80, 0, 0],
        &[7; 0x8000],
    ]
    .concat();
    let message = frame(SEND, &body);
    let until = Instant::now() + Duration::from_secs(3);
    // Nothing drains the lane.
    let mut sent = 0;
    while Instant::now() < until && sent < 64 << 20 && raw.write(&message).is_ok() {
        sent += message.len();
    }
    let held = a.node.stats().inbox_bytes;
    assert!(
        held <= INBOX_BYTES + 2 * message.len() as u64,
        "{held} bytes wait in the inbox, {sent} were sent"
    );
}

#[test]
fn p1_strangers_fill_no_inbox_with_refusals() {
    let a = TestNode::open(NodeOptions {
        inbox_bytes: INBOX_BYTES as u32,
        ..options("a")
    });
    let name = format!("{}@127.0.0.1:1", "x".repeat(243));
    for _ in 0..180 {
        let mut raw = Raw::dial(a.address()).unwrap();
        assert!(
            raw.prove(&local(&name, 5), COOKIE, &name).is_err(),
            "the wrong name"
        );
    }
    let held = a.node.stats().inbox_bytes;
    assert!(held > 0, "they are told of");
    assert!(held < INBOX_BYTES / 4, "{held} bytes wait in the inbox");
}

/// Announces `count` nodes that no other node knows, each with a name that begins with `prefix`.
fn announce(raw: &mut Raw, prefix: &str, count: u32) {
    let mut bytes = Vec::new();
    for number in 2..2 + count {
        put_slot(&mut bytes, number << 8 | 1, 7, &format!("{prefix}{number}@h:1"));
        if bytes.len() > 60_000 && raw.write(&std::mem::take(&mut bytes)).is_err() {
            return;
        }
    }
    let _ = raw.write(&bytes);
}

#[test]
fn p7_a_peer_that_tells_of_many_names_ends_its_own_session_only() {
    let mut a = TestNode::start("a");
    let mut honest = Raw::session(&a, "honest@127.0.0.1:1", 5);
    let kept = a.find("the honest peer", |entry| entry.tag == UP).session;
    let mut hostile = Raw::session(&a, "hostile@127.0.0.1:1", 5);
    let ended = a
        .find("the hostile peer", |entry| {
            entry.tag == UP && entry.session != kept
        })
        .session;
    announce(&mut hostile, "n", 0xFFFD);
    a.find("the end", |entry| entry.tag == DOWN && entry.session == ended);

    // A second session under the same name has no share of its own.
    let mut hostile = Raw::session(&a, "hostile@127.0.0.1:1", 5);
    announce(&mut hostile, "m", 1);
    a.until("the second end", |a| {
        a.entries.iter().filter(|entry| entry.tag == DOWN).count() == 2
    });

    // The message carries a PID of a node that this node did not know.
    announce(&mut honest, "third", 1);
    let body = [
        &(257_u64 << 40 | 1).to_le_bytes()[..],
        &[2, 0x1E],
        &(0x201_u64 << 40 | 1).to_le_bytes(),
    ]
    .concat();
    honest.write(&frame(SEND, &body)).unwrap();
    a.find("the honest message", |entry| {
        entry.tag == SEND && entry.session == kept
    });
    assert_eq!(a.count(DOWN), 2, "both of the hostile peer");

    let _newcomer = Raw::session(&a, "new@127.0.0.1:1", 5);
    a.find("the newcomer", |entry| {
        entry.tag == UP && entry.body.ends_with(b"new@127.0.0.1:1")
    });
}
