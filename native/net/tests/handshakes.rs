//! Connections that never become sessions, and nodes that connect in spite of them.

mod support;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use rustls::ServerConnection;
use snowmesh_core::StrongCookie;
use snowmesh_core::handshake::{CookieKey, Initiator, InitiatorStep};
use snowmesh_net::{DialReason, NodeOptions};
use support::raw::{Identity, Raw, listener, local, pump, server_config};
use support::{CONNECT, COOKIE, REFUSED, TestNode, UP, options};

const REFUSE: u8 = 0x0F;

#[test]
fn k6_another_cookie_is_refused_on_both_sides_and_told_once() {
    let mut a = TestNode::start("a");
    let mut b = TestNode::open(NodeOptions {
        cookie: "b cookie for tests, 32 letters..".into(),
        ..options("b")
    });
    assert_eq!(b.dial(1, &a.name.clone(), a.node.port()), 3);
    let told = a.find("REFUSED", |entry| entry.tag == REFUSED);
    let told = String::from_utf8_lossy(&told.body);
    assert!(told.contains(&format!("{}\u{9}\0127.0.0.1", b.name)));
    assert_eq!((a.count(UP), b.count(UP), a.count(REFUSED)), (0, 0, 1));
}

#[test]
fn p7_a_node_for_which_no_number_is_left_is_refused_and_one_that_has_a_number_is_not() {
    let mut a = TestNode::start("a");
    drop(Raw::session(&a, "early@127.0.0.1:1", 5));
    for number in 1..262_144 {
        assert!(a.node.number("other@127.0.0.1:1", number).is_ok());
        if number % 10_000 == 0 {
            a.drain();
            a.entries.clear();
        }
    }
    let join = |a: &TestNode, name: &str| {
        let mut raw = Raw::dial(a.address()).unwrap();
        raw.prove(&local(name, 5), COOKIE, &a.name)
    };
    let refused = join(&a, "late@127.0.0.1:1").expect_err("no number is left");
    assert!(refused.contains("busy"), "{refused}");
    let told = a.find("REFUSED", |entry| entry.tag == REFUSED);
    assert!(String::from_utf8_lossy(&told.body).contains("there is no room for another node"));
    assert!(join(&a, "early@127.0.0.1:1").is_ok());
}

#[test]
fn wrong_proofs_without_end_are_reported_a_few_times_with_a_count() {
    let mut a = TestNode::start("a");
    let key = CookieKey::derive(&StrongCookie::parse("not the cookie of anybody at all").unwrap());
    let dialled = snowmesh_core::NodeName::parse(&a.name).unwrap();
    for _ in 0..40 {
        let mut raw = Raw::dial(a.address()).unwrap();
        let mine = local("raw@127.0.0.1:1", 5);
        let (mut machine, hello) = Initiator::start(&mine, &key, &dialled, [7; 32], raw.exporter());
        raw.write(&hello).unwrap();
        let (tag, challenge) = raw.frame().unwrap();
        let Ok(InitiatorStep::Send(proof)) = machine.on_frame(tag, &challenge) else {
            panic!("a proof")
        };
        raw.write(&proof).unwrap();
        assert_eq!(raw.frame().unwrap().0, REFUSE);
    }
    // The count is the last field; each refusal is either reported or counted.
    let told = |a: &TestNode| -> Vec<u32> {
        let refused = a.entries.iter().filter(|entry| entry.tag == REFUSED);
        refused.map(|entry| 1 + entry.u32(entry.body.len() - 4)).collect()
    };
    a.until("all are accounted for", |a| told(a).iter().sum::<u32>() == 40);
    // Ten at once, and one for each second that this took.
    assert!(told(&a).iter().any(|&count| count > 1), "{:?}", told(&a));
}

#[test]
fn t8_each_challenge_has_a_nonce_of_its_own() {
    let a = TestNode::start("a");
    let key = CookieKey::derive(&StrongCookie::parse(COOKIE).unwrap());
    let dialled = snowmesh_core::NodeName::parse(&a.name).unwrap();
    let [first, second] = [(); 2].map(|()| {
        let mut raw = Raw::dial(a.address()).unwrap();
        let mine = local("raw@127.0.0.1:1", 5);
        let (_, hello) = Initiator::start(&mine, &key, &dialled, [7; 32], raw.exporter());
        raw.write(&hello).unwrap();
        raw.frame().unwrap()
    });
    assert_eq!(first.0, second.0, "two challenges");
    // All other fields are the same.
    let same = first.1.iter().zip(&second.1).filter(|(one, other)| one == other);
    let differ = first.1.len() - same.count();
    assert!((20..=32).contains(&differ), "{differ} bytes differ");
}

#[test]
fn k12_a_listener_that_never_answers_fails_the_dial_on_time() {
    let (listener, address) = listener();
    let mut a = TestNode::open(NodeOptions {
        handshake_ms: 300,
        ..options("a")
    });
    let begun = Instant::now();
    assert_eq!(
        a.dial(1, &format!("b@127.0.0.1:{}", address.port()), address.port()),
        2
    );
    assert!(begun.elapsed() >= Duration::from_millis(290));
    drop(listener);
}

#[test]
fn t5_silent_and_trickling_connectors_delay_nobody_and_all_are_dropped() {
    let mut a = TestNode::open(NodeOptions {
        handshake_ms: 10_000,
        ..options("a")
    });
    // The thread accepts once its key is derived; before, a crowd would only fill the system's queue.
    drop(Raw::dial(a.address()).unwrap());
    let mut crowd: Vec<TcpStream> = (0..300)
        .map(|_| TcpStream::connect(a.address()).unwrap())
        .collect();
    for slow in crowd.iter_mut().step_by(2) {
        slow.write_all(&[22, 3, 1]).unwrap();
    }
    a.until("the crowd is in", |a| a.node.stats().handshakes >= 200);
    let mut b = TestNode::start("b");
    assert_eq!(b.dial(1, &a.name.clone(), a.node.port()), 0);
    assert!(
        a.node.stats().handshakes >= 150,
        "the good peer joined while the crowd was still there"
    );
    a.until("the crowd is out", |a| a.node.stats().handshakes == 0);
    for stream in &mut crowd {
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        assert!(matches!(stream.read(&mut [0]), Ok(0) | Err(_)), "closed");
    }
}

#[test]
fn t5_past_the_cap_the_one_with_the_least_progress_makes_room() {
    let mut a = TestNode::open(NodeOptions {
        max_handshakes: 3,
        ..options("a")
    });
    // One with TLS done, one that sent some bytes, one silent.
    let mut best = Raw::dial(a.address()).unwrap();
    let mut middle = TcpStream::connect(a.address()).unwrap();
    middle.write_all(&[22, 3, 1]).unwrap();
    let mut silent = TcpStream::connect(a.address()).unwrap();
    a.until("three are in", |a| a.node.stats().handshakes == 3);
    let _late = TcpStream::connect(a.address()).unwrap();
    silent.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    assert!(
        matches!(silent.read(&mut [0]), Ok(0) | Err(_)),
        "the silent one went first"
    );
    let peer = best.prove(&local("raw@127.0.0.1:1", 5), COOKIE, &a.name);
    assert!(peer.is_ok(), "the best one was kept: {peer:?}");
    middle.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    assert!(
        middle
            .read(&mut [0])
            .is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
    );
}

/// How far a peer without the cookie goes before it stops.
#[derive(Clone, Copy, Debug)]
enum Stop {
    AfterTcp,
    InTls,
    AfterTls,
    AfterHello,
}

/// Connects from `127.0.0.<from>` and goes as far as a peer without the cookie can.
fn stranger(
    to: std::net::SocketAddr,
    from: u8,
    stop: Stop,
    dialled: &str,
    key: &CookieKey,
) -> std::io::Result<Box<dyn std::any::Any + Send>> {
    let socket = connect_from(from, to)?;
    Ok(match stop {
        Stop::AfterTcp => Box::new(socket),
        Stop::InTls => {
            (&socket).write_all(&[22, 3, 1])?;
            Box::new(socket)
        }
        Stop::AfterTls => Box::new(Raw::dial_over(socket)?),
        Stop::AfterHello => {
            let mut raw = Raw::dial_over(socket)?;
            let dialled = snowmesh_core::NodeName::parse(dialled).unwrap();
            let mine = local("raw@127.0.0.1:1", 5);
            let (_, hello) = Initiator::start(&mine, key, &dialled, [7; 32], raw.exporter());
            raw.write(&hello)?;
            Box::new(raw)
        }
    })
}

fn connect_from(last: u8, to: std::net::SocketAddr) -> std::io::Result<TcpStream> {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None)?;
    socket.bind(&std::net::SocketAddr::from(([127, 0, 0, last], 0)).into())?;
    socket.connect(&to.into())?;
    Ok(socket.into())
}

#[test]
fn t5_a_member_joins_whatever_strangers_fill_the_cap_with() {
    for stop in [Stop::AfterTcp, Stop::InTls, Stop::AfterTls, Stop::AfterHello] {
        for addresses in [1, 60] {
            joins_among_strangers(stop, addresses);
        }
    }
}

/// Strangers fill the cap and come again as soon as they are closed; a member joins eight times out of eight.
fn joins_among_strangers(stop: Stop, addresses: u8) {
    const CAP: usize = 40;
    let key = CookieKey::derive(&StrongCookie::parse("not the cookie of anybody at all").unwrap());
    let mut a = TestNode::open(NodeOptions {
        max_handshakes: CAP as u32,
        handshake_ms: 600_000,
        ..options("a")
    });
    let (to, name) = (a.address(), a.name.clone());
    let over = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let crowd = std::thread::spawn({
        let (over, name) = (over.clone(), name.clone());
        move || {
            let mut held = std::collections::VecDeque::new();
            for turn in 0_usize.. {
                if over.load(std::sync::atomic::Ordering::SeqCst) {
                    return;
                }
                let from = 2 + (turn % usize::from(addresses)) as u8;
                // One that was closed on the way is one less to hold.
                if let Ok(stranger) = stranger(to, from, stop, &name, &key) {
                    held.push_back(stranger);
                }
                if held.len() > 2 * CAP {
                    held.pop_front();
                }
            }
        }
    });
    a.until("the cap is reached", |a| a.node.stats().handshakes >= CAP as u64);
    for join in 0..8 {
        // From an address that strangers use, too.
        let mut member = Raw::dial_over(connect_from(2, to).unwrap()).unwrap_or_else(|error| {
            panic!("{stop:?} from {addresses} addresses, join {join}: closed in TLS: {error}")
        });
        let joined = member.prove(&local(&format!("raw{join}@127.0.0.1:1"), 5), COOKIE, &name);
        assert!(
            joined.is_ok(),
            "{stop:?} from {addresses} addresses, join {join}: {joined:?}"
        );
    }
    over.store(true, std::sync::atomic::Ordering::SeqCst);
    crowd.join().unwrap();
}

#[test]
fn t6_a_handshake_cut_at_any_byte_leaves_nothing_behind() {
    let mut a = TestNode::open(NodeOptions {
        handshake_ms: 2_000,
        ..options("a")
    });
    let to = a.address();
    for (round, limit) in (0..1800).step_by(61).enumerate() {
        let mut b = TestNode::start("b");
        let (relay, address) = listener();
        let thread = std::thread::spawn(move || {
            let (from, _) = relay.accept().unwrap();
            let up = TcpStream::connect(to).unwrap();
            let back = (up.try_clone().unwrap(), from.try_clone().unwrap());
            let other = std::thread::spawn(move || pump(back.0, back.1, usize::MAX));
            pump(from, up, limit);
            other.join().unwrap();
        });
        // Either it was cut before the end, or the last byte had passed and the session ends with its dialler.
        let status = b.dial(1, &a.name.clone(), address.port());
        assert!([0, 1].contains(&status), "limit {limit}: status {status}");
        drop(b);
        thread.join().unwrap();
        a.until("nothing is left", |a| {
            let stats = a.node.stats();
            stats.handshakes == 0 && stats.sessions == 0
        });
        assert!(a.count(support::DOWN) <= round + 1);
    }
    let mut c = TestNode::start("c");
    assert_eq!(
        c.dial(1, &a.name.clone(), a.node.port()),
        0,
        "healthy after all that"
    );
}

#[test]
fn t8_a_reflected_challenge_proves_nothing() {
    let a = TestNode::start("a");
    let key = CookieKey::derive(&StrongCookie::parse("not the cookie of anybody at all").unwrap());
    let mut one = Raw::dial(a.address()).unwrap();
    let mine = local("raw@127.0.0.1:1", 5);
    let dialled = snowmesh_core::NodeName::parse(&a.name).unwrap();
    let (mut machine, hello) = Initiator::start(&mine, &key, &dialled, [7; 32], one.exporter());
    one.write(&hello).unwrap();
    let (tag, challenge) = one.frame().unwrap();
    let Ok(InitiatorStep::Send(proof)) = machine.on_frame(tag, &challenge) else {
        panic!("a proof")
    };
    // The same bytes on the same and on another connection, and the challenge itself sent back.
    one.write(&proof).unwrap();
    assert_eq!(one.frame().unwrap().0, REFUSE);
    let mut two = Raw::dial(a.address()).unwrap();
    two.write(&hello).unwrap();
    let (tag, body) = two.frame().unwrap();
    two.write(&support::raw::frame(tag, &body)).unwrap();
    assert!(two.is_closed());
    let mut three = Raw::dial(a.address()).unwrap();
    three.write(&proof).unwrap();
    assert!(three.is_closed());
}

#[test]
fn t9_a_relay_with_a_certificate_of_its_own_is_refused_by_both() {
    let mut a = TestNode::start("a");
    let mut b = TestNode::start("b");
    let (relay, address) = listener();
    let to = a.address();
    let thread = std::thread::spawn(move || {
        let (from, _) = relay.accept().unwrap();
        let tls = ServerConnection::new(server_config()).unwrap();
        let mut near = Raw::over(from, tls.into()).unwrap();
        let mut far = Raw::dial(to).unwrap();
        // Both proofs are relayed to the byte; only the TLS connections differ.
        loop {
            let Ok((tag, body)) = near.frame() else { return };
            if far.write(&support::raw::frame(tag, &body)).is_err() {
                return;
            }
            let Ok((tag, body)) = far.frame() else { return };
            if near.write(&support::raw::frame(tag, &body)).is_err() {
                return;
            }
        }
    });
    assert_eq!(b.dial(1, &a.name.clone(), address.port()), 3);
    a.find("REFUSED", |entry| entry.tag == REFUSED);
    assert_eq!((a.count(UP), b.count(UP)), (0, 0));
    thread.join().unwrap();
}

#[test]
fn t10_other_protocols_are_closed_without_harm() {
    let mut a = TestNode::start("a");
    let noise: [&[u8]; 4] = [
        b"GET / HTTP/1.1\r\n\r\n",
        &[0; 600],
        &[22, 3, 1, 0xFF, 0xFF, 1],
        &[0xFF; 20_000],
    ];
    for bytes in noise {
        let mut stream = TcpStream::connect(a.address()).unwrap();
        // It may close before all was written.
        let _ = stream.write_all(bytes);
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
    }
    assert!(
        Raw::dial_as(a.address(), b"h2")
            .map(|mut raw| raw.is_closed())
            .unwrap_or(true)
    );
    // TLS is fine, what follows is not.
    for bytes in [
        &b"GET / HTTP/1.1\r\n\r\n"[..],
        &[0, 0, 0, 0],
        &[0xFF; 64],
        &support::raw::frame(0x10, &[0; 9]),
    ] {
        let mut raw = Raw::dial(a.address()).unwrap();
        raw.write(bytes).unwrap();
        assert!(raw.is_closed(), "{bytes:?}");
    }
    a.until("nothing is left", |a| a.node.stats().handshakes == 0);
    let mut b = TestNode::start("b");
    assert_eq!(b.dial(1, &a.name.clone(), a.node.port()), 0);
}

#[test]
fn k11_another_version_or_a_missing_capability_is_refused_cleanly() {
    let a = TestNode::start("a");
    let demanding = snowmesh_core::handshake::LocalNode {
        required: 1 << 40,
        ..local("raw@127.0.0.1:1", 5)
    };
    let mut raw = Raw::dial(a.address()).unwrap();
    let error = raw.prove(&demanding, COOKIE, &a.name).unwrap_err();
    assert!(error.contains("incompatible"), "{error}");
    let mut raw = Raw::dial(a.address()).unwrap();
    raw.write(&support::raw::frame(0x01, &[2, 0])).unwrap();
    assert_eq!(raw.frame().unwrap().0, REFUSE);
}

#[test]
fn k8_a_dialler_that_lost_is_told_so_and_closed_in_order() {
    let mut b = TestNode::start("b");
    let (listener, address) = listener();
    let name = format!("a@{address}");
    b.node.dial(
        1,
        name.clone(),
        "127.0.0.1".to_owned(),
        address.port(),
        DialReason::Asked,
    );
    // It never answers, so the dial of the greater name is in progress.
    let _held = listener.accept().unwrap();
    let mut raw = Raw::dial_with(b.address(), &Identity::new()).unwrap();
    let proved = raw.prove(&local(&name, 5), COOKIE, &b.name);
    assert_eq!(proved.map(|peer| peer.name), Err("duplicate".to_owned()));
    assert!(raw.is_closed());
    assert_eq!(raw.tls.reader().read(&mut [0]).unwrap(), 0, "TLS was closed, too");
    assert_eq!((b.count(UP), b.count(CONNECT)), (0, 0));
}
