//! Session frames of a peer, and the results of checking them.
//!
//! `greeting` are the announcements that precede, with this node's own numbers (`nc`) for the pairs. `hex` is
//! the whole frame in the sender's numbering, `translated` the same frame in the receiver's.

use serde_json::{Map, Value, json};
use snowmesh_core::frame::{
    Checked, FRAGMENT_BYTES, FrameError, PeerMisbehaved, Route, SessionTables, Splitter, check_body,
    put_goodbye, put_ping, put_pong, put_slot, tag,
};
use snowmesh_core::term::{Term, encode, tag as term_tag};
use snowmesh_core::{Pid, Ref};

use crate::{error_name, hex, terms};

/// Our number of the sender.
const SENDER: u32 = 0x0500;
/// The sender's number of us.
const US: u32 = 0x0100;
/// The sender's number of an earlier start of us.
const FORMER: u32 = 0x0101;
/// The sender's number of a third node.
const THIRD: u32 = 0x0203;
const PAIRS: [(u32, u64, &str, u32); 3] = [
    (US, 0x1111_2222_3333_4444, "us@127.0.0.1:4370", 0),
    (FORMER, 0x0000_0000_0000_0001, "us@127.0.0.1:4370", 0x0700),
    (THIRD, 0xFFFF_FFFF_FFFF_FFFF, "third@[::1]:1", 0x0601),
];

pub(crate) fn vectors() -> Map<String, Value> {
    let greeting = PAIRS.map(|(theirs, incarnation, name, ours)| {
        let mut frame = Vec::new();
        put_slot(&mut frame, theirs, incarnation, name);
        let incarnation = format!("{incarnation:#018x}");
        json!({ "hex": hex(&frame), "senderNc": theirs, "name": name, "incarnation": incarnation, "nc": ours })
    });
    let shapes: Vec<_> = (0..)
        .zip(terms::SHAPES)
        .map(|(id, keys)| hex(&whole(tag::SHAPE, &shape(id, keys))))
        .collect();
    let accept = good_frames()
        .into_iter()
        .map(|(name, frame)| accepted(name, &frame));
    let reject = bad_frames().into_iter().map(|(name, frame)| {
        let error = receive(&mut frame.clone()).expect_err(name);
        let error = match error {
            FrameError::Peer(PeerMisbehaved::BadTerm(error)) => error_name(&error),
            FrameError::Peer(error) => error_name(&error),
            other => error_name(&other),
        };
        json!({ "name": name, "hex": hex(&frame), "error": error })
    });
    Map::from_iter([
        ("senderNc".to_owned(), json!(SENDER)),
        ("greeting".to_owned(), Value::from(greeting.to_vec())),
        ("shapes".to_owned(), json!(shapes)),
        ("accept".to_owned(), accept.collect()),
        ("reject".to_owned(), reject.collect()),
        ("fragments".to_owned(), fragments()),
    ])
}

fn accepted(name: &str, frame: &[u8]) -> Value {
    let mut translated = frame.to_vec();
    let checked = receive(&mut translated).expect(name);
    let outcome = match checked {
        Checked::Deliver(Route::Actor(to)) => json!({ "actor": to.local() }),
        Checked::Deliver(Route::Foreign(to)) => {
            json!({ "foreign": { "nc": to.nc(), "local": to.local() } })
        }
        Checked::Deliver(route) => json!(error_name(&route).to_lowercase()),
        other => json!(error_name(&other).to_lowercase()),
    };
    json!({ "name": name, "hex": hex(frame), "translated": hex(&translated), "outcome": outcome })
}

fn receive(frame: &mut [u8]) -> Result<Checked, FrameError> {
    let mut tables = SessionTables::new(SENDER);
    let mut numbers = |name: &str, incarnation: u64| {
        PAIRS
            .iter()
            .find(|pair| (pair.2, pair.1) == (name, incarnation))
            .map(|pair| pair.3)
    };
    for (theirs, incarnation, name, _) in PAIRS {
        let mut announcement = Vec::new();
        put_slot(&mut announcement, theirs, incarnation, name);
        let _ = check_body(tag::SLOT, &mut announcement[5..], &mut tables, &mut numbers)?;
    }
    for (id, keys) in (0..).zip(terms::SHAPES) {
        let _ = check_body(tag::SHAPE, &mut shape(id, keys), &mut tables, &mut numbers)?;
    }
    check_body(frame[4], &mut frame[5..], &mut tables, &mut numbers)
}

fn whole(tag: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 1).expect("short");
    [&length.to_le_bytes()[..], &[tag], body].concat()
}

fn name(text: &str) -> Vec<u8> {
    [
        &u16::try_from(text.len()).expect("short").to_le_bytes(),
        text.as_bytes(),
    ]
    .concat()
}

fn shape(id: u16, keys: &[&str]) -> Vec<u8> {
    let count = u16::try_from(keys.len()).expect("few");
    let names: Vec<u8> = keys.iter().flat_map(|key| name(key)).collect();
    [id.to_le_bytes().as_slice(), &count.to_le_bytes(), &names].concat()
}

fn pid(nc: u32, local: u64) -> Vec<u8> {
    Pid::new(nc, local).bits().to_le_bytes().to_vec()
}

fn reference(nc: u32, local: u64, id: u64) -> Vec<u8> {
    [pid(nc, local).as_slice(), &id.to_le_bytes()].concat()
}

fn term() -> Vec<u8> {
    encode(&Term::List(vec![
        Term::Pid(Pid::new(0, 11)),
        Term::Pid(Pid::new(US, 12)),
        Term::Pid(Pid::new(THIRD, 13)),
        Term::Ref(Ref {
            owner: Pid::new(FORMER, 14),
            id: 15,
        }),
        Term::Shaped {
            shape: 0,
            values: vec![Term::Int(1), Term::String("two".to_owned())],
        },
    ]))
}

fn good_frames() -> Vec<(&'static str, Vec<u8>)> {
    let (from, to, mine) = (pid(0, 21), pid(US, (3 << 34) + 22), reference(0, 21, 23));
    let (ms, id) = (5_000_u32.to_le_bytes(), 99_u64.to_le_bytes());
    let frame = |tag, parts: &[&[u8]]| whole(tag, &parts.concat());
    let (mut ping, mut pong, mut goodbye) = (Vec::new(), Vec::new(), Vec::new());
    put_ping(&mut ping, 7, 12);
    put_pong(&mut pong, 7, 0);
    put_goodbye(&mut goodbye, 1);
    vec![
        ("SEND", frame(tag::SEND, &[&to, &term()])),
        (
            "SEND to an earlier incarnation",
            frame(tag::SEND, &[&pid(FORMER, 22), &[2, term_tag::NULL]]),
        ),
        (
            "SEND to a third node",
            frame(tag::SEND, &[&pid(THIRD, 22), &[2, term_tag::NULL]]),
        ),
        ("REG_SEND", frame(tag::REG_SEND, &[&name("käse"), &term()])),
        (
            "PEER_LIST",
            frame(
                tag::PEER_LIST,
                &[&[2, 0], &name("a@h:1"), &name("not a node name")],
            ),
        ),
        ("PEER_LIST empty", frame(tag::PEER_LIST, &[&[0, 0]])),
        ("LINK", frame(tag::LINK, &[&from, &to])),
        ("UNLINK", frame(tag::UNLINK, &[&from, &to, &id])),
        ("UNLINK_ACK", frame(tag::UNLINK_ACK, &[&from, &to, &id])),
        ("EXIT", frame(tag::EXIT, &[&from, &to, &term()])),
        ("EXIT2", frame(tag::EXIT2, &[&from, &to, &term()])),
        (
            "MONITOR of a PID",
            frame(tag::MONITOR, &[&from, &mine, &[0], &to]),
        ),
        (
            "MONITOR of a name",
            frame(tag::MONITOR, &[&from, &mine, &[1], &name("server")]),
        ),
        ("DEMONITOR", frame(tag::DEMONITOR, &[&from, &mine])),
        (
            "MONITOR_EXIT",
            frame(tag::MONITOR_EXIT, &[&to, &reference(US, 22, 5), &term()]),
        ),
        (
            "SPAWN",
            frame(
                tag::SPAWN,
                &[
                    &from,
                    &mine,
                    &[3],
                    &reference(0, 21, 24),
                    &name("worker"),
                    &term(),
                ],
            ),
        ),
        (
            "SPAWN_REPLY",
            frame(
                tag::SPAWN_REPLY,
                &[&to, &reference(US, 22, 5), &[0], &pid(0, 30), &term()],
            ),
        ),
        ("SPAWN_ACK", frame(tag::SPAWN_ACK, &[&from, &to])),
        ("GLOBAL_REGISTER", frame(tag::GLOBAL_REGISTER, &[&term()])),
        ("GLOBAL_UNREGISTER", frame(tag::GLOBAL_UNREGISTER, &[&term()])),
        ("GLOBAL_SYNC", frame(tag::GLOBAL_SYNC, &[&term()])),
        (
            "ROOM_BROADCAST",
            frame(
                tag::ROOM_BROADCAST,
                &[&name("lobby"), &[3, 0, 0, 0], b"hey", &term()],
            ),
        ),
        ("CALL", frame(tag::CALL, &[&from, &mine, &ms, &to, &term()])),
        (
            "CALL for ever",
            frame(tag::CALL, &[&from, &mine, &[0xFF; 4], &to, &term()]),
        ),
        (
            "REG_CALL",
            frame(tag::REG_CALL, &[&from, &mine, &ms, &name("server"), &term()]),
        ),
        (
            "REPLY",
            frame(tag::REPLY, &[&reference(US, 22, 5), &[0], &term()]),
        ),
        (
            "ALIAS_SEND",
            frame(tag::ALIAS_SEND, &[&reference(US, 22, u64::MAX), &term()]),
        ),
        ("SYSTEM", frame(tag::SYSTEM, &[&name("groups"), &term()])),
        ("GOODBYE", goodbye),
        ("PING", ping),
        ("PONG", pong),
        ("optional unknown tag 0x80", frame(0x80, &[b"anything"])),
        ("optional unknown tag 0xbf", frame(0xBF, &[])),
    ]
}

fn bad_frames() -> Vec<(&'static str, Vec<u8>)> {
    let (from, to, mine) = (pid(0, 21), pid(US, 22), reference(0, 21, 23));
    let (null, long) = ([2, term_tag::NULL], name(&"a".repeat(256)));
    let frame = |tag, parts: &[&[u8]]| whole(tag, &parts.concat());
    let slot = |nc, incarnation, name: &str| {
        let mut out = Vec::new();
        put_slot(&mut out, nc, incarnation, name);
        out
    };
    vec![
        ("SEND without a term", frame(tag::SEND, &[&to])),
        ("SEND cut", frame(tag::SEND, &[&to[..7]])),
        (
            "SEND to a pair not announced",
            frame(tag::SEND, &[&pid(0x0900, 1), &null]),
        ),
        (
            "SEND with a PID of a pair not announced",
            frame(tag::SEND, &[&to, &encode(&Term::Pid(Pid::new(0x0102, 1)))]),
        ),
        ("SEND with a trailing byte", frame(tag::SEND, &[&to, &null, &[0]])),
        (
            "REG_SEND to an empty name",
            frame(tag::REG_SEND, &[&name(""), &null]),
        ),
        (
            "REG_SEND to a name of 256 bytes",
            frame(tag::REG_SEND, &[&long, &null]),
        ),
        (
            "REG_SEND to a name that is not UTF-8",
            frame(tag::REG_SEND, &[&[1, 0, 0xFF], &null]),
        ),
        (
            "PEER_LIST shorter than its count",
            frame(tag::PEER_LIST, &[&[2, 0], &name("a@h:1")]),
        ),
        (
            "PEER_LIST longer than its count",
            frame(tag::PEER_LIST, &[&[0, 0], &name("a@h:1")]),
        ),
        ("LINK from the receiver's actor", frame(tag::LINK, &[&to, &to])),
        (
            "LINK from a third node's actor",
            frame(tag::LINK, &[&pid(THIRD, 1), &to]),
        ),
        ("LINK with a trailing byte", frame(tag::LINK, &[&from, &to, &[0]])),
        ("UNLINK without its id", frame(tag::UNLINK, &[&from, &to])),
        (
            "EXIT from the receiver's actor",
            frame(tag::EXIT, &[&to, &to, &null]),
        ),
        ("EXIT without a reason", frame(tag::EXIT, &[&from, &to])),
        (
            "MONITOR of kind 2",
            frame(tag::MONITOR, &[&from, &mine, &[2], &to]),
        ),
        ("DEMONITOR from another", frame(tag::DEMONITOR, &[&to, &mine])),
        (
            "SPAWN of an empty name",
            frame(tag::SPAWN, &[&from, &mine, &[0], &mine, &name(""), &null]),
        ),
        (
            "CALL from another",
            frame(tag::CALL, &[&pid(FORMER, 1), &mine, &[0; 4], &to, &null]),
        ),
        (
            "REPLY without a value",
            frame(tag::REPLY, &[&reference(US, 22, 5), &[0]]),
        ),
        (
            "SYSTEM on an empty channel",
            frame(tag::SYSTEM, &[&name(""), &null]),
        ),
        ("GOODBYE empty", frame(tag::GOODBYE, &[])),
        ("GOODBYE with a trailing byte", frame(tag::GOODBYE, &[&[0, 0]])),
        ("PING cut", frame(tag::PING, &[&[0; 11]])),
        ("PONG with a trailing byte", frame(tag::PONG, &[&[0; 13]])),
        ("SLOT 0", slot(0x0005, 1, "a@h:1")),
        ("SLOT of incarnation 0", slot(0x0900, 0, "a@h:1")),
        ("SLOT of an illegal name", slot(0x0900, 1, "a")),
        (
            "SLOT that redefines a pair",
            slot(THIRD, 0x0000_0000_0000_0001, "us@127.0.0.1:4370"),
        ),
        ("SHAPE out of turn", frame(tag::SHAPE, &[&shape(5, &["a"])])),
        ("SHAPE again", frame(tag::SHAPE, &[&shape(0, &["id", "name"])])),
        (
            "SHAPE with the same key twice",
            frame(tag::SHAPE, &[&shape(3, &["a", "b", "a"])]),
        ),
        (
            "SHAPE of 65 keys",
            frame(tag::SHAPE, &[&[3, 0, 65, 0], &[0; 130]]),
        ),
        (
            "SHAPE with a trailing byte",
            frame(tag::SHAPE, &[&shape(3, &["a"]), &[0]]),
        ),
        ("FRAGMENT with flag 4", frame(tag::FRAGMENT, &[&[1, 0, 0, 0, 4]])),
        ("FRAGMENT cut", frame(tag::FRAGMENT, &[&[1, 0, 0, 0]])),
        ("handshake frame in a session", frame(tag::HELLO, &[])),
        ("unknown tag 0x1f", frame(0x1F, &[])),
        ("unknown tag 0x7f", frame(0x7F, &[])),
        ("unknown tag 0xc0", frame(0xC0, &[])),
        ("unknown tag 0xff", frame(0xFF, &[])),
    ]
}

/// A frame of `bytes` bytes of tag and body, cut for stream 9: the heads, and the length of each part.
fn fragments() -> Value {
    let cut = |bytes: usize| {
        let pieces = Splitter::new(9, bytes, FRAGMENT_BYTES)
            .map(|piece| json!({ "head": hex(piece.head()), "part": piece.part.len() }));
        json!({ "stream": 9, "bytes": bytes, "pieces": pieces.collect::<Vec<_>>() })
    };
    json!([
        cut(FRAGMENT_BYTES + 1),
        cut(2 * FRAGMENT_BYTES),
        cut(3 * FRAGMENT_BYTES + 7)
    ])
}
