//! Dials, step by step, in an I/O loop that does not run.

use std::sync::Arc;

use super::*;
use crate::lane::{Lane, Wake};
use crate::node::{Node, NodeParts};
use crate::options::NodeOptions;
use crate::tls::TlsConfig;

struct NoWake;

impl Wake for NoWake {
    fn wake(&self) {}
}

/// An I/O loop that does not run: the test calls it.
fn io_loop() -> IoLoop {
    let poll = mio::Poll::new().unwrap();
    let listener = mio::net::TcpListener::bind(([127, 0, 0, 1], 0).into()).unwrap();
    let node = Arc::new(Node::new(NodeParts {
        options: NodeOptions::default(),
        name: "a@127.0.0.1:1".to_owned(),
        incarnation: 1,
        port: 1,
        registry: poll.registry().try_clone().unwrap(),
        waker: mio::Waker::new(poll.registry(), crate::io::WAKER).unwrap(),
        lane: Arc::new(Lane::new(0, 1 << 20, Box::new(NoWake))),
    }));
    IoLoop::new(node, poll, listener, TlsConfig::generate().unwrap()).unwrap()
}

/// Begins a dial whose host is looked up; gives its id.
fn begin(io: &mut IoLoop, request: u32, host: &str) -> u64 {
    io.dial(DialRequest {
        request,
        name: "b@b.invalid:1".to_owned(),
        host: host.to_owned(),
        port: 1,
    });
    io.last_dial
}

#[test]
fn a_late_lookup_of_an_ended_dial_gives_the_next_dial_of_that_name_no_addresses() {
    let mut io = io_loop();
    let first = begin(&mut io, 1, "slow.invalid");
    io.dial_expired(first);
    let second = begin(&mut io, 2, "other.invalid");
    io.resolved(first, Ok(vec![([127, 0, 0, 1], 1).into()]));
    let dial = &io.dials[&second];
    assert_eq!(dial.state, DialState::LookingUp);
    assert!(dial.addresses.is_empty());
}

#[test]
fn k12_an_address_that_does_not_answer_leaves_time_for_the_next_one() {
    let mut io = io_loop();
    let id = begin(&mut io, 1, "two-addresses.invalid");
    let whole = io.deadlines.next();
    // The system completes their connections, and nothing answers.
    let silent = [(); 2].map(|()| std::net::TcpListener::bind("127.0.0.1:0").unwrap());
    io.resolved(
        id,
        Ok(silent
            .iter()
            .map(|listener| listener.local_addr().unwrap())
            .collect()),
    );
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
