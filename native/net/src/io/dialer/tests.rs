//! Dials, step by step, in an I/O loop that does not run.

use std::collections::BTreeSet;

use super::*;
use crate::options::NodeOptions;

/// An I/O loop that does not run: the test calls it.
fn io_loop() -> IoLoop {
    io_loop_with(NodeOptions::default())
}

fn io_loop_with(options: NodeOptions) -> IoLoop {
    let mut io = crate::io::tests::io_loop(options);
    // Look-ups end when the test calls `resolved`, or runs the commands.
    io.lookups.resolve = |_, _| Ok(Vec::new());
    io
}

/// Begins a dial whose host is looked up; gives its id.
fn begin(io: &mut IoLoop, request: u32, host: &str) -> u64 {
    dial(io, request, "b@b.invalid:1", host, DialReason::Asked)
}

fn dial(io: &mut IoLoop, request: u32, name: &str, host: &str, reason: DialReason) -> u64 {
    io.dial(DialRequest {
        request,
        name: name.to_owned(),
        host: host.to_owned(),
        port: 1,
        reason,
    });
    io.last_dial
}

#[test]
fn a_late_lookup_of_an_ended_dial_gives_the_next_dial_of_that_name_no_addresses() {
    let mut io = io_loop();
    let first = begin(&mut io, 1, "slow.invalid");
    io.dial_expired(first);
    let second = begin(&mut io, 2, "other.invalid");
    io.resolved(first, DialReason::Asked, Ok(vec![([127, 0, 0, 1], 1).into()]));
    let dial = &io.dials[&second];
    assert_eq!(dial.state, DialState::LookingUp);
    assert!(dial.addresses.is_empty());
}

/// Dials so many nodes for that reason, each of another host; gives the ids.
fn dial_many(io: &mut IoLoop, count: u32, reason: DialReason) -> Vec<u64> {
    (0..count)
        .map(|number| {
            let request = (reason as u32 + 1) * 1_000 + number;
            let host = format!("{reason:?}-{number}.invalid");
            dial(io, request, &format!("x@{host}:1"), &host, reason)
        })
        .collect()
}

#[test]
fn t14_look_ups_for_what_members_told_hold_up_none_that_this_node_asked_for() {
    let mut io = io_loop();
    let hints = dial_many(&mut io, 9, DialReason::Hinted);
    let lost = dial_many(&mut io, 25, DialReason::Lost);
    let asked = begin(&mut io, 1, "asked.invalid");
    assert!(
        !io.lookups.withdraw(DialReason::Asked, asked),
        "what was asked for has begun"
    );
    assert!(!io.lookups.withdraw(DialReason::Lost, lost[23]));
    assert!(!io.lookups.withdraw(DialReason::Hinted, hints[7]));
    // The first of the others waits until one of its own kind has ended.
    io.resolved(asked, DialReason::Asked, Ok(Vec::new()));
    io.resolved(hints[0], DialReason::Hinted, Ok(Vec::new()));
    assert!(!io.lookups.withdraw(DialReason::Hinted, hints[8]));
    assert!(io.lookups.withdraw(DialReason::Lost, lost[24]));
}

#[test]
fn t14_a_hint_that_waits_begins_anew_when_this_node_asks_for_it() {
    let mut io = io_loop();
    dial_many(&mut io, 8, DialReason::Hinted);
    let hint = dial(&mut io, 1, "b@b.invalid:1", "b.invalid", DialReason::Hinted);
    let until = io.dials[&hint].until;
    let asked = begin(&mut io, 1, "b.invalid");
    assert!(!io.dials.contains_key(&hint) && io.dials[&asked].until > until);
    assert!(!io.lookups.withdraw(DialReason::Asked, asked), "it has begun");
    assert_eq!(io.dials[&asked].requests, [1], "and is answered once");
    io.dial_expired(hint); // the deadline of the hint
    let again = begin(&mut io, 2, "b.invalid");
    assert_eq!((again, &io.dials[&asked].requests[..]), (asked, &[1, 2][..]));
}

#[test]
fn t14_a_hint_whose_look_up_does_not_end_is_answered_when_it_does() {
    let mut io = io_loop();
    let hints = dial_many(&mut io, 9, DialReason::Hinted);
    for hint in &hints {
        io.dial_expired(*hint);
    }
    // The node gives a member no other dial for those that are not answered, so one member does not begin look-up after look-up.
    let open = |io: &IoLoop| io.dials.keys().copied().collect::<BTreeSet<_>>();
    assert_eq!(open(&io), hints[..8].iter().copied().collect());
    assert!(io.dials.values().all(|dial| dial.state == DialState::Overdue));
    assert!(!io.is_dialling("x@Hinted-0.invalid:1"), "it will not connect");
    io.resolved(hints[0], DialReason::Hinted, Ok(vec![([127, 0, 0, 1], 1).into()]));
    assert_eq!(open(&io), hints[1..8].iter().copied().collect());
}

#[test]
fn t14_a_hint_that_is_looked_up_begins_anew_when_this_node_asks_for_it() {
    let mut io = io_loop();
    for is_late in [false, true] {
        let hint = dial(&mut io, 1, "b@b.invalid:1", "b.invalid", DialReason::Hinted);
        if is_late {
            io.dial_expired(hint);
        }
        let asked = begin(&mut io, 2, "b.invalid");
        io.resolved(hint, DialReason::Hinted, Ok(Vec::new()));
        io.dial_expired(hint);
        assert_eq!(io.dials[&asked].requests, [1, 2]);
        io.dial_expired(asked);
        assert!(io.dials.is_empty(), "both are answered in time");
    }
}

#[test]
fn a_dial_that_ends_while_it_waits_is_not_looked_up() {
    let mut io = io_loop();
    dial_many(&mut io, 16, DialReason::Asked);
    let waits = begin(&mut io, 1, "waits.invalid");
    io.dial_expired(waits);
    assert!(!io.lookups.withdraw(DialReason::Asked, waits), "it is gone");
}

#[test]
fn look_ups_begin_in_the_order_of_their_dials() {
    let mut io = io_loop();
    let dials = dial_many(&mut io, 40, DialReason::Asked);
    for _ in 0..12 {
        io.lookups.ended(DialReason::Asked);
    }
    let waiting = dials
        .iter()
        .filter(|dial| io.lookups.withdraw(DialReason::Asked, **dial));
    assert_eq!(waiting.copied().collect::<Vec<_>>(), dials[28..]);
}

#[test]
fn k12_an_address_that_does_not_answer_leaves_time_for_the_next_one() {
    let mut io = io_loop();
    let id = begin(&mut io, 1, "two-addresses.invalid");
    let whole = io.deadlines.next();
    let (_silent, addresses) = silent_addresses();
    io.resolved(id, DialReason::Asked, Ok(addresses));
    let DialState::Connecting(first) = io.dials[&id].state else {
        panic!("it connects to the first address")
    };
    assert!(
        io.deadlines.next() < whole,
        "the first address has a part of the time"
    );
    io.address_expired(id, first);
    let DialState::Connecting(second) = io.dials[&id].state else {
        panic!("it connects to the second address")
    };
    assert!(second != first && !io.handshakes.contains_key(&first));
    io.address_expired(id, first);
    assert_eq!(
        io.dials[&id].state,
        DialState::Connecting(second),
        "late for the first"
    );
}

/// Two addresses that complete connections and never answer. They do until the test ends.
fn silent_addresses() -> ([std::net::TcpListener; 2], Vec<SocketAddr>) {
    let silent = [(); 2].map(|()| std::net::TcpListener::bind("127.0.0.1:0").unwrap());
    let addresses = silent.each_ref().map(|listener| listener.local_addr().unwrap());
    (silent, addresses.to_vec())
}

#[test]
fn the_answer_of_a_peer_is_final() {
    let mut io = io_loop();
    let (_silent, addresses) = silent_addresses();
    for (status, is_final) in [(ConnectStatus::Auth, true), (ConnectStatus::Refused, false)] {
        let id = begin(&mut io, 1, "two-addresses.invalid");
        io.resolved(id, DialReason::Asked, Ok(addresses.clone()));
        io.dial_failed(id, status, String::new());
        assert_eq!(io.dials.contains_key(&id), !is_final, "{status:?}");
    }
}

#[test]
fn an_address_has_a_second_also_when_the_time_for_all_is_short() {
    let mut io = io_loop_with(NodeOptions {
        handshake_ms: 900,
        ..NodeOptions::default()
    });
    let id = begin(&mut io, 1, "two-addresses.invalid");
    let whole = io.deadlines.next();
    let (_silent, addresses) = silent_addresses();
    io.resolved(id, DialReason::Asked, Ok(addresses));
    assert!(matches!(io.dials[&id].state, DialState::Connecting(_)));
    assert_eq!(
        io.deadlines.next(),
        whole,
        "nothing is due before the dial itself"
    );
}
