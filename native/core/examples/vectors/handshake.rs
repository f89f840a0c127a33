//! One whole handshake with fixed nonces, and the frames that end one early.

use serde_json::{Map, Value, json};
use snowmesh_core::handshake::{
    Acceptor, AcceptorStep, CookieKey, Decision, Initiator, InitiatorStep, LocalNode, Refusal, RefuseCode,
};
use snowmesh_core::{NodeName, StrongCookie};

use crate::hex;

const COOKIE: &str = "correct horse battery staple";
const EXPORTER: [u8; 32] = [0xE0; 32];
const NONCES: [[u8; 32]; 2] = [[0x11; 32], [0x22; 32]];

pub(crate) fn vectors() -> Map<String, Value> {
    let key = CookieKey::derive(&StrongCookie::parse(COOKIE).expect("strong"));
    let local = |name: &str, incarnation, is_hidden, offered| LocalNode {
        name: NodeName::parse(name).expect("legal"),
        incarnation,
        is_hidden,
        required: 1,
        offered,
    };
    let dialler = local("alpha@127.0.0.1:4370", 0x0102_0304_0506_0708, true, 0x0F);
    let listener = local(
        "beta@[::1]:4371",
        0x8877_6655_4433_2211,
        false,
        0x8000_0000_0000_0001,
    );
    let acks = [Decision::Accepted, Decision::Duplicate].map(|decision| {
        let (mut initiator, hello) = Initiator::start(&dialler, &key, &listener.name, NONCES[0], EXPORTER);
        let mut acceptor = Acceptor::start(&listener, &key, NONCES[1], EXPORTER);
        let AcceptorStep::Send(challenge) = acceptor.on_frame(hello[4], &hello[5..]).expect("HELLO") else {
            unreachable!("HELLO is answered")
        };
        let InitiatorStep::Send(proof) = initiator
            .on_frame(challenge[4], &challenge[5..])
            .expect("CHALLENGE")
        else {
            unreachable!("CHALLENGE is answered")
        };
        let AcceptorStep::Proved(_) = acceptor.on_frame(proof[4], &proof[5..]).expect("PROOF") else {
            unreachable!("PROOF is the last frame")
        };
        let ack = acceptor.decide(decision).expect("proved");
        (hello, challenge, proof, ack)
    });
    let [(hello, challenge, proof, accepted), (.., duplicate)] = acks;
    let node = |node: &LocalNode| {
        json!({
            "name": node.name.as_str(), "incarnation": format!("{:#018x}", node.incarnation),
            "hidden": node.is_hidden, "required": format!("{:#x}", node.required), "offered": format!("{:#x}", node.offered),
        })
    };
    let refusal = Refusal {
        code: RefuseCode::WrongName,
        detail: "this is beta@[::1]:4371".to_owned(),
    };
    let entries = [
        ("cookie", json!(COOKIE)),
        ("exporter", json!(hex(&EXPORTER))),
        ("initiator", node(&dialler)),
        ("acceptor", node(&listener)),
        ("initiatorNonce", json!(hex(&NONCES[0]))),
        ("acceptorNonce", json!(hex(&NONCES[1]))),
        ("hello", json!(hex(&hello))),
        ("challenge", json!(hex(&challenge))),
        ("proof", json!(hex(&proof))),
        ("ackAccepted", json!(hex(&accepted))),
        ("ackDuplicate", json!(hex(&duplicate))),
        (
            "refuse",
            json!({ "code": 3, "detail": refusal.detail.as_str(), "hex": hex(&refusal.encode()) }),
        ),
    ];
    entries
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}
