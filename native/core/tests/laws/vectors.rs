//! The known-answer vectors of `test/vectors`, checked through the public interface.

use serde_json::Value;
use snowmesh_core::frame::{
    Checked, FRAGMENT_BYTES, FrameError, PeerMisbehaved, SessionTables, Splitter, check_body, tag,
};
use snowmesh_core::handshake::{
    Acceptor, AcceptorStep, CookieKey, Decision, Initiator, InitiatorStep, LocalNode, Refusal,
};
use snowmesh_core::term::{ShapeTable, TermChecker, TermError, Untranslated, decode, encode};
use snowmesh_core::{NodeName, Pid, StrongCookie};

fn read(file: &str) -> Value {
    let path = format!("{}/../../test/vectors/{file}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().unwrap()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap()
}

fn number(value: &Value, key: &str) -> u64 {
    value[key]
        .as_u64()
        .unwrap_or_else(|| u64::from_str_radix(&text(value, key)[2..], 16).unwrap())
}

fn nc(value: &Value, key: &str) -> u32 {
    u32::try_from(number(value, key)).unwrap()
}

fn unhex(hex: &str) -> Vec<u8> {
    (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
        .collect()
}

fn bytes(value: &Value, key: &str) -> Vec<u8> {
    unhex(text(value, key))
}

fn variant(error: &impl std::fmt::Debug) -> String {
    format!("{error:?}")
        .split(['(', ' ', '{'])
        .next()
        .unwrap()
        .to_owned()
}

#[test]
fn pids_are_packed_as_the_vectors_say() {
    for vector in list(&read("pids"), "pids") {
        let part = |key| number(vector, key);
        let pid = Pid::from_bits(part("bits"));
        assert_eq!(u64::from(pid.slot()), part("slot"));
        assert_eq!(u64::from(pid.creation()), part("creation"));
        assert_eq!(u64::from(pid.scheduler()), part("scheduler"));
        assert_eq!(pid.serial(), part("serial"));
        assert_eq!(Pid::new(nc(vector, "nc"), part("local")), pid);
        assert_eq!(pid.to_string(), text(vector, "text"));
    }
}

#[test]
fn k3_names_and_cookies_are_judged_as_the_vectors_say() {
    let names = read("names");
    for vector in list(&names, "nodes") {
        match NodeName::parse(text(vector, "text")) {
            Ok(name) => assert_eq!(
                (name.name(), name.host(), u64::from(name.port())),
                (text(vector, "name"), text(vector, "host"), number(vector, "port"))
            ),
            Err(error) => assert_eq!(variant(&error), text(vector, "error")),
        }
    }
    for vector in list(&names, "cookies") {
        let error = StrongCookie::parse(text(vector, "cookie"))
            .err()
            .map(|error| variant(&error));
        assert_eq!(error.as_deref(), vector["error"].as_str());
    }
}

#[test]
fn terms_are_judged_as_the_vectors_say() {
    let vectors = read("terms");
    let mut shapes = ShapeTable::default();
    for keys in list(&vectors, "shapes") {
        shapes.push(u8::try_from(keys.as_array().unwrap().len()).unwrap());
    }
    for vector in list(&vectors, "accept") {
        let name = text(vector, "name");
        let term = decode(&bytes(vector, "hex"), &shapes).expect(name);
        if vector["canonical"] == true {
            assert_eq!(encode(&term), bytes(vector, "hex"), "{name}");
        }
    }
    for vector in list(&vectors, "reject") {
        let verdict = TermChecker::default().check(&mut bytes(vector, "hex"), &shapes, &Untranslated);
        let error: TermError = verdict.expect_err(text(vector, "name"));
        assert_eq!(variant(&error), text(vector, "error"), "{}", text(vector, "name"));
        assert_eq!(decode(&bytes(vector, "hex"), &shapes), Err(error));
    }
}

#[test]
fn frames_are_judged_and_rewritten_as_the_vectors_say() {
    let vectors = read("frames");
    let greeting = list(&vectors, "greeting");
    let mut numbers = |name: &str, incarnation: u64| {
        let is_it = |slot: &&Value| text(slot, "name") == name && number(slot, "incarnation") == incarnation;
        greeting.iter().find(is_it).map(|slot| nc(slot, "nc"))
    };
    let mut receive = |frame: &mut [u8]| {
        let mut tables = SessionTables::new(nc(&vectors, "senderNc"));
        for slot in greeting {
            let verdict = check_body(tag::SLOT, &mut bytes(slot, "hex")[5..], &mut tables, &mut numbers);
            assert_eq!(verdict, Ok(Checked::Slot { nc: nc(slot, "nc") }));
        }
        for shape in list(&vectors, "shapes") {
            let mut frame = unhex(shape.as_str().unwrap());
            let _ = check_body(tag::SHAPE, &mut frame[5..], &mut tables, &mut numbers).unwrap();
        }
        check_body(frame[4], &mut frame[5..], &mut tables, &mut numbers)
    };
    for vector in list(&vectors, "accept") {
        let mut frame = bytes(vector, "hex");
        assert!(receive(&mut frame).is_ok(), "{}", text(vector, "name"));
        assert_eq!(frame, bytes(vector, "translated"), "{}", text(vector, "name"));
    }
    for vector in list(&vectors, "reject") {
        let error = match receive(&mut bytes(vector, "hex")).expect_err(text(vector, "name")) {
            FrameError::Peer(PeerMisbehaved::BadTerm(error)) => variant(&error),
            FrameError::Peer(error) => variant(&error),
            other => variant(&other),
        };
        assert_eq!(error, text(vector, "error"), "{}", text(vector, "name"));
    }
    for vector in list(&vectors, "fragments") {
        let pieces = Splitter::new(
            nc(vector, "stream"),
            usize::try_from(number(vector, "bytes")).unwrap(),
            FRAGMENT_BYTES,
        );
        let cut: Vec<_> = pieces
            .map(|piece| (piece.head().to_vec(), piece.part.len() as u64))
            .collect();
        let told: Vec<_> = list(vector, "pieces")
            .iter()
            .map(|piece| (bytes(piece, "head"), number(piece, "part")))
            .collect();
        assert_eq!(cut, told);
    }
}

#[test]
fn the_handshake_is_the_one_of_the_vectors() {
    let vectors = read("handshake");
    let key = CookieKey::derive(&StrongCookie::parse(text(&vectors, "cookie")).unwrap());
    let exporter = bytes(&vectors, "exporter").try_into().unwrap();
    let nonce = |key| bytes(&vectors, key).try_into().unwrap();
    let local = |side: &Value| LocalNode {
        name: NodeName::parse(text(side, "name")).unwrap(),
        incarnation: number(side, "incarnation"),
        is_hidden: side["hidden"] == true,
        required: number(side, "required"),
        offered: number(side, "offered"),
    };
    let (dialler, listener) = (local(&vectors["initiator"]), local(&vectors["acceptor"]));
    for (decision, ack) in [
        (Decision::Accepted, "ackAccepted"),
        (Decision::Duplicate, "ackDuplicate"),
    ] {
        let (mut initiator, hello) =
            Initiator::start(&dialler, &key, &listener.name, nonce("initiatorNonce"), exporter);
        assert_eq!(hello, bytes(&vectors, "hello"));
        let mut acceptor = Acceptor::start(&listener, &key, nonce("acceptorNonce"), exporter);
        let challenge = bytes(&vectors, "challenge");
        assert_eq!(
            acceptor.on_frame(hello[4], &hello[5..]),
            Ok(AcceptorStep::Send(challenge.clone()))
        );
        let proof = bytes(&vectors, "proof");
        assert_eq!(
            initiator.on_frame(challenge[4], &challenge[5..]),
            Ok(InitiatorStep::Send(proof.clone()))
        );
        assert!(matches!(
            acceptor.on_frame(proof[4], &proof[5..]),
            Ok(AcceptorStep::Proved(_))
        ));
        let ack = bytes(&vectors, ack);
        assert_eq!(acceptor.decide(decision).as_deref(), Some(&ack[..]));
        let step = initiator.on_frame(ack[4], &ack[5..]).unwrap();
        assert_eq!(
            matches!(step, InitiatorStep::Up(_)),
            decision == Decision::Accepted
        );
    }
    let refuse = &vectors["refuse"];
    let refusal = Refusal::parse(&bytes(refuse, "hex")[5..]).unwrap();
    assert_eq!(
        (u64::from(refusal.code.to_byte()), &*refusal.detail),
        (number(refuse, "code"), text(refuse, "detail"))
    );
    assert_eq!(refusal.encode(), bytes(refuse, "hex"));
}
