//! Arbitrary frames to both sides of a handshake: no peer without the cookie is accepted.
#![no_main]

use libfuzzer_sys::fuzz_target;
use snowmesh_core::NodeName;
use snowmesh_core::frame::{Deframer, Frame, MAX_HANDSHAKE_FRAME};
use snowmesh_core::handshake::{Acceptor, AcceptorStep, CookieKey, Initiator, InitiatorStep, LocalNode};

fuzz_target!(|bytes: &[u8]| {
    let name = |text| NodeName::parse(text).expect("legal");
    let key = CookieKey::from_bytes(&[7; 32]);
    let local = LocalNode {
        name: name("us@h:1"),
        incarnation: 1,
        is_hidden: false,
        required: 1,
        offered: 3,
    };
    let (mut initiator, _) = Initiator::start(&local, &key, &name("them@h:2"), [1; 32], [9; 32]);
    let mut acceptor = Acceptor::start(&local, &key, [2; 32], [9; 32]);
    let mut deframer = Deframer::new(MAX_HANDSHAKE_FRAME);
    deframer.push(bytes);
    while let Ok(Some(Frame { tag, body })) = deframer.next_frame() {
        assert!(!matches!(
            acceptor.on_frame(tag, body),
            Ok(AcceptorStep::Proved(_))
        ));
        let step = initiator.on_frame(tag, body);
        assert!(!matches!(
            step,
            Ok(InitiatorStep::Up(_) | InitiatorStep::Duplicate(_))
        ));
    }
});
