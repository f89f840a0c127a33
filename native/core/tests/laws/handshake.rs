//! Either both sides accept each other or neither does (K6, K11, T6 to T9, T11).

use proptest::prelude::*;
use snowmesh_core::handshake::{
    Acceptor, AcceptorStep, Challenge, CookieKey, Decision, HandshakeError, Hello, Initiator, InitiatorStep,
    LocalNode, Peer, Refusal, RefuseCode,
};
use snowmesh_core::{NodeName, frame::tag};

const EXPORTER: [u8; 32] = [9; 32];

fn node(name: &str, incarnation: u64) -> LocalNode {
    LocalNode {
        name: NodeName::parse(name).unwrap(),
        incarnation,
        is_hidden: false,
        required: 1,
        offered: 3,
    }
}

fn alpha() -> LocalNode {
    LocalNode {
        is_hidden: true,
        ..node("alpha@h:1", 11)
    }
}

fn beta() -> LocalNode {
    node("beta@h:2", 22)
}

fn key(byte: u8) -> CookieKey {
    CookieKey::from_bytes(&[byte; 32])
}

/// Both machines, and the last frame that each sent.
struct Wire {
    initiator: Initiator,
    acceptor: Acceptor,
}

/// How a handshake ended.
#[derive(Debug, PartialEq)]
enum End {
    Both(Peer, InitiatorStep),
    InitiatorRefused(HandshakeError),
    AcceptorRefused(HandshakeError),
}

impl Wire {
    fn new(initiator_key: &CookieKey, acceptor_key: &CookieKey, exporters: [[u8; 32]; 2]) -> (Self, Vec<u8>) {
        let (initiator, hello) =
            Initiator::start(&alpha(), initiator_key, &beta().name, [1; 32], exporters[0]);
        let acceptor = Acceptor::start(&beta(), acceptor_key, [2; 32], exporters[1]);
        (Self { initiator, acceptor }, hello)
    }

    /// Runs to the end. `tamper` sees every frame (1 to 4) on its way.
    fn run(mut self, hello: Vec<u8>, decision: Decision, mut tamper: impl FnMut(usize, &mut Vec<u8>)) -> End {
        let (mut frame, mut peer) = (hello, None);
        for number in 1.. {
            tamper(number, &mut frame);
            if number % 2 == 1 {
                match self.acceptor.on_frame(frame[4], &frame[5..]) {
                    Ok(AcceptorStep::Send(next)) => frame = next,
                    Ok(AcceptorStep::Proved(proved)) => {
                        peer = Some(proved);
                        frame = self.acceptor.decide(decision).unwrap();
                    }
                    Err(error) => return End::AcceptorRefused(error),
                }
            } else {
                match self.initiator.on_frame(frame[4], &frame[5..]) {
                    Ok(InitiatorStep::Send(next)) => frame = next,
                    Ok(step) => return End::Both(peer.unwrap(), step),
                    Err(error) => return End::InitiatorRefused(error),
                }
            }
        }
        unreachable!("four frames")
    }
}

fn run(tamper: impl FnMut(usize, &mut Vec<u8>)) -> End {
    let (wire, hello) = Wire::new(&key(7), &key(7), [EXPORTER; 2]);
    wire.run(hello, Decision::Accepted, tamper)
}

#[test]
fn both_sides_learn_who_the_other_is() {
    for decision in [Decision::Accepted, Decision::Duplicate] {
        let (wire, hello) = Wire::new(&key(7), &key(7), [EXPORTER; 2]);
        let End::Both(dialler, step) = wire.run(hello, decision, |_, _| {}) else {
            panic!("agreement")
        };
        let (expected, listener) = match step {
            InitiatorStep::Up(peer) => (Decision::Accepted, peer),
            InitiatorStep::Duplicate(peer) => (Decision::Duplicate, peer),
            InitiatorStep::Send(_) => panic!("the handshake is over"),
        };
        assert_eq!(expected, decision);
        assert_eq!(
            (dialler.name, dialler.incarnation, dialler.is_hidden),
            (alpha().name, 11, true)
        );
        assert_eq!(
            (listener.name, listener.incarnation, listener.is_hidden),
            (beta().name, 22, false)
        );
        assert_eq!(listener.capabilities, 3);
    }
}

#[test]
fn t7_every_flipped_bit_of_every_frame_is_refused() {
    let mut lengths = [0; 5];
    assert!(matches!(
        run(|number, frame| lengths[number] = frame.len()),
        End::Both(..)
    ));
    for (number, length) in lengths.into_iter().enumerate() {
        // Tag and body: the length field belongs to the transport's framing.
        for place in 4..length {
            for bit in 0..8 {
                let end = run(|at, frame| {
                    if at == number {
                        frame[place] ^= 1 << bit;
                    }
                });
                assert!(
                    !matches!(end, End::Both(..)),
                    "frame {number}, byte {place}, bit {bit}"
                );
            }
        }
    }
}

#[test]
fn t6_a_handshake_cut_at_any_byte_is_refused() {
    for number in 1..=4 {
        for left in 5..4_096 {
            let mut is_whole = false;
            let end = run(|at, frame| {
                if at == number {
                    is_whole = left >= frame.len();
                    frame.truncate(left);
                }
            });
            if is_whole {
                break;
            }
            assert!(!matches!(end, End::Both(..)), "frame {number} cut to {left}");
        }
    }
}

#[test]
fn k11_unknown_trailing_bytes_are_ignored_but_covered() {
    // Both ends must see them: appended on the way they break the proof.
    let appended = |number| {
        run(move |at, frame| {
            if at == number {
                frame.push(0);
            }
        })
    };
    assert_eq!(appended(1), End::AcceptorRefused(HandshakeError::BadProof));
    assert_eq!(appended(2), End::AcceptorRefused(HandshakeError::BadProof));
    assert!(matches!(appended(3), End::Both(..)) && matches!(appended(4), End::Both(..)));
}

#[test]
fn k6_another_cookie_is_refused_by_the_acceptor_first() {
    let (wire, hello) = Wire::new(&key(7), &key(8), [EXPORTER; 2]);
    let end = wire.run(hello, Decision::Accepted, |_, _| {});
    assert_eq!(end, End::AcceptorRefused(HandshakeError::BadProof));
    assert_eq!(
        HandshakeError::BadProof.refusal().map(|refusal| refusal.code),
        Some(RefuseCode::BadProof)
    );
}

#[test]
fn t9_a_relay_between_two_tls_connections_is_refused() {
    let (wire, hello) = Wire::new(&key(7), &key(7), [[1; 32], [2; 32]]);
    let end = wire.run(hello, Decision::Accepted, |_, _| {});
    assert_eq!(end, End::AcceptorRefused(HandshakeError::BadProof));
}

#[test]
fn t8_our_own_proof_reflected_on_the_same_connection_is_refused() {
    // A false acceptor without the cookie claims to be beta and sends alpha's proof back as its own.
    let (mut initiator, hello) = Initiator::start(&alpha(), &key(7), &beta().name, [1; 32], EXPORTER);
    let mut greeting = Hello::parse(&hello[5..]).unwrap().greeting;
    greeting.name = beta().name.to_string();
    let challenge = Challenge { greeting }.encode();
    let Ok(InitiatorStep::Send(proof)) = initiator.on_frame(challenge[4], &challenge[5..]) else {
        panic!("the challenge is legal")
    };
    let ack = [&proof[5..], &[0]].concat();
    assert_eq!(initiator.on_frame(tag::ACK, &ack), Err(HandshakeError::BadProof));
}

#[test]
fn t8_a_proof_got_on_another_connection_is_refused() {
    // A false peer gets alpha to dial it, and uses alpha's proof to join beta as alpha: other nonces, other TLS.
    let proof_for = |nonce, exporter| {
        let (mut initiator, hello) = Initiator::start(&alpha(), &key(7), &beta().name, [1; 32], exporter);
        let mut acceptor = Acceptor::start(&beta(), &key(7), nonce, exporter);
        let Ok(AcceptorStep::Send(challenge)) = acceptor.on_frame(hello[4], &hello[5..]) else {
            panic!()
        };
        let Ok(InitiatorStep::Send(proof)) = initiator.on_frame(challenge[4], &challenge[5..]) else {
            panic!()
        };
        (acceptor, proof)
    };
    let (mut fresh, _) = proof_for([2; 32], EXPORTER);
    for (_, recorded) in [proof_for([3; 32], EXPORTER), proof_for([2; 32], [8; 32])] {
        let (mut victim, _) = proof_for([2; 32], EXPORTER);
        assert_eq!(
            victim.on_frame(tag::PROOF, &recorded[5..]),
            Err(HandshakeError::BadProof)
        );
    }
    let (_, honest) = proof_for([2; 32], EXPORTER);
    assert!(matches!(
        fresh.on_frame(tag::PROOF, &honest[5..]),
        Ok(AcceptorStep::Proved(_))
    ));
}

#[test]
fn frames_out_of_turn_end_the_handshake_for_good() {
    for tag in (0..=0xFF).filter(|&tag| tag != tag::HELLO && tag != tag::REFUSE) {
        let (mut wire, hello) = Wire::new(&key(7), &key(7), [EXPORTER; 2]);
        assert_eq!(
            wire.acceptor.on_frame(tag, &hello[5..]),
            Err(HandshakeError::OutOfTurn { tag })
        );
        assert!(
            wire.acceptor.on_frame(hello[4], &hello[5..]).is_err(),
            "no second chance"
        );
        assert_eq!(wire.acceptor.decide(Decision::Accepted), None);
    }
    for tag in (0..=0xFF).filter(|&tag| tag != tag::CHALLENGE && tag != tag::REFUSE) {
        let (mut wire, _) = Wire::new(&key(7), &key(7), [EXPORTER; 2]);
        assert_eq!(
            wire.initiator.on_frame(tag, &[0; 33]),
            Err(HandshakeError::OutOfTurn { tag })
        );
    }
    let (mut wire, hello) = Wire::new(&key(7), &key(7), [EXPORTER; 2]);
    assert_eq!(
        wire.acceptor.decide(Decision::Accepted),
        None,
        "nobody has proved anything"
    );
    assert!(wire.acceptor.on_frame(hello[4], &hello[5..]).is_err());
}

#[test]
fn a_refusal_is_a_text_and_no_more() {
    let refusal = Refusal {
        code: RefuseCode::Busy,
        detail: "é".repeat(400),
    }
    .encode();
    assert!(refusal.len() < 600, "a long detail is cut");
    let (
        Wire {
            mut initiator,
            mut acceptor,
            ..
        },
        hello,
    ) = Wire::new(&key(7), &key(7), [EXPORTER; 2]);
    let told = [
        initiator.on_frame(refusal[4], &refusal[5..]).map(drop),
        acceptor.on_frame(refusal[4], &refusal[5..]).map(drop),
    ];
    for told in told {
        let Err(HandshakeError::Refused(told)) = told else {
            panic!()
        };
        assert_eq!((told.code, told.detail), (RefuseCode::Busy, "é".repeat(256)));
    }
    let again = initiator.on_frame(tag::CHALLENGE, &hello[5..]).map(drop);
    assert_eq!(again, Err(HandshakeError::OutOfTurn { tag: tag::CHALLENGE }));
    let again = acceptor.on_frame(tag::HELLO, &hello[5..]).map(drop);
    assert_eq!(again, Err(HandshakeError::OutOfTurn { tag: tag::HELLO }));
    let wild = [&[99][..], &[6, 0], b"a\n\x1b[\xFFb"].concat();
    let told = Refusal::parse(&wild).unwrap();
    assert_eq!(told.to_string(), "code 99 (a\u{FFFD}\u{FFFD}[\u{FFFD}b)");
}

/// What the acceptor `beta` says to a greeting that was changed.
fn judged(change: impl FnOnce(&mut Hello)) -> HandshakeError {
    let (_, frame) = Initiator::start(&alpha(), &key(7), &beta().name, [1; 32], EXPORTER);
    let mut hello = Hello::parse(&frame[5..]).unwrap();
    change(&mut hello);
    let frame = hello.encode();
    Acceptor::start(&beta(), &key(7), [2; 32], EXPORTER)
        .on_frame(frame[4], &frame[5..])
        .unwrap_err()
}

#[test]
fn t11_illegal_claims_are_refused_with_their_code() {
    use RefuseCode::{BadVersion, IllegalName, Incompatible, WrongName};
    let code = |error: &HandshakeError| error.refusal().map(|refusal| refusal.code);
    let cases = [
        (judged(|hello| hello.greeting.version = 2), Some(BadVersion)),
        (judged(|hello| hello.greeting.required = 4), Some(Incompatible)),
        (judged(|hello| hello.greeting.offered = 2), Some(Incompatible)),
        (
            judged(|hello| hello.greeting.name = "beta@h:2".to_owned()),
            Some(IllegalName),
        ),
        (
            judged(|hello| hello.greeting.name = "no name".to_owned()),
            Some(IllegalName),
        ),
        (
            judged(|hello| hello.greeting.name = format!("{}@h:1", "a".repeat(255))),
            Some(IllegalName),
        ),
        (
            judged(|hello| hello.dialled = "gamma@h:3".to_owned()),
            Some(WrongName),
        ),
        (judged(|hello| hello.greeting.incarnation = 0), None),
    ];
    for (error, expected) in cases {
        assert_eq!(code(&error), expected, "{error}");
    }
}

#[test]
fn t11_the_dialler_gives_no_proof_to_another_name() {
    let answer = |name: &str| {
        let (mut initiator, hello) = Initiator::start(&alpha(), &key(7), &beta().name, [1; 32], EXPORTER);
        let mut greeting = Hello::parse(&hello[5..]).unwrap().greeting;
        greeting.name = name.to_owned();
        let challenge = Challenge { greeting }.encode();
        initiator.on_frame(challenge[4], &challenge[5..])
    };
    assert!(matches!(
        answer("gamma@h:3"),
        Err(HandshakeError::WrongName { .. })
    ));
    assert_eq!(answer("alpha@h:1"), Err(HandshakeError::OwnName));
    assert!(matches!(answer("beta"), Err(HandshakeError::IllegalName(_))));
}

#[test]
fn k11_unknown_offers_are_ignored() {
    let listener = LocalNode {
        offered: u64::MAX,
        ..beta()
    };
    let (mut initiator, hello) = Initiator::start(&alpha(), &key(7), &listener.name, [1; 32], EXPORTER);
    let mut acceptor = Acceptor::start(&listener, &key(7), [2; 32], EXPORTER);
    let Ok(AcceptorStep::Send(challenge)) = acceptor.on_frame(hello[4], &hello[5..]) else {
        panic!()
    };
    let Ok(InitiatorStep::Send(proof)) = initiator.on_frame(challenge[4], &challenge[5..]) else {
        panic!()
    };
    let Ok(AcceptorStep::Proved(dialler)) = acceptor.on_frame(proof[4], &proof[5..]) else {
        panic!()
    };
    let ack = acceptor.decide(Decision::Accepted).unwrap();
    let Ok(InitiatorStep::Up(listener)) = initiator.on_frame(ack[4], &ack[5..]) else {
        panic!()
    };
    assert_eq!((dialler.offered, dialler.capabilities), (3, 3));
    assert_eq!((listener.offered, listener.capabilities), (u64::MAX, 3));
}

#[test]
fn the_claimed_name_is_known_for_the_log() {
    let (wire, hello) = Wire::new(&key(7), &key(8), [EXPORTER; 2]);
    let mut acceptor = wire.acceptor;
    assert_eq!(acceptor.claimed_name(), None);
    let _ = acceptor.on_frame(hello[4], &hello[5..]).unwrap();
    assert_eq!(acceptor.claimed_name(), Some("alpha@h:1"));
}

proptest! {
    #[test]
    fn t10_arbitrary_frames_do_no_harm(
        frames in prop::collection::vec((0_u8..6, prop::collection::vec(any::<u8>(), 0..200)), 1..5),
    ) {
        let (mut wire, _) = Wire::new(&key(7), &key(7), [EXPORTER; 2]);
        for (tag, body) in &frames {
            let tag = if *tag == 5 { tag::REFUSE } else { *tag };
            prop_assert!(!matches!(wire.acceptor.on_frame(tag, body), Ok(AcceptorStep::Proved(_))));
            prop_assert!(!matches!(wire.initiator.on_frame(tag, body), Ok(InitiatorStep::Up(_))));
        }
    }

    #[test]
    fn messages_are_read_as_they_were_written(
        numbers in any::<(u64, u64, u64, bool, [u8; 32])>(),
        names in ("\\PC{0,60}", "\\PC{0,60}"),
    ) {
        let (required, offered, incarnation, is_hidden, nonce) = numbers;
        let greeting = snowmesh_core::handshake::Greeting {
            version: 1, required, offered, incarnation, is_hidden, nonce, name: names.0,
        };
        let challenge = Challenge { greeting: greeting.clone() };
        prop_assert_eq!(Challenge::parse(&challenge.encode()[5..]), Ok(challenge));
        let hello = Hello { greeting, dialled: names.1 };
        prop_assert_eq!(Hello::parse(&hello.encode()[5..]), Ok(hello));
    }
}

#[test]
fn t15_what_a_stranger_says_reaches_no_log_unless_it_is_a_name() {
    let (_, hello) = Initiator::start(&alpha(), &key(7), &beta().name, [1; 32], EXPORTER);
    let greeting = Hello::parse(&hello[5..]).unwrap().greeting;
    let told = |dialled: &str| {
        let hello = Hello {
            greeting: greeting.clone(),
            dialled: dialled.to_owned(),
        }
        .encode();
        let mut acceptor = Acceptor::start(&beta(), &key(7), [2; 32], EXPORTER);
        acceptor.on_frame(hello[4], &hello[5..]).unwrap_err().to_string()
    };
    assert!(told("gamma@h:3").contains("gamma@h:3"));
    let forged = told("x\n2026-01-01 all is well\u{1b}[2J");
    assert!(!forged.chars().any(char::is_control), "{forged:?}");
}
