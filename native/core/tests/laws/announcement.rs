//! What a peer may announce, and when.

use snowmesh_core::frame::{
    Checked, FrameError, MAX_SHAPE_BYTES, MAX_SHAPE_KEYS, MAX_SLOTS, PeerMisbehaved, SessionTables,
    check_body, put_slot, tag,
};

use crate::support::{self, PAIRS, SENDER, SHAPE_KEYS, fault, name, numbers, tables};

#[test]
fn a_session_begins_with_the_announcement_of_the_receiver() {
    for (tag, mut body) in [(tag::PING, vec![0; 12]), (tag::SEND, vec![0; 10]), (0x80, vec![])] {
        let verdict = check_body(tag, &mut body, &mut SessionTables::new(SENDER), &mut numbers());
        assert_eq!(fault(verdict), PeerMisbehaved::NotBegun);
    }
    let mut frame = Vec::new();
    put_slot(&mut frame, PAIRS[2].0, PAIRS[2].1, PAIRS[2].2);
    let verdict = check_body(
        tag::SLOT,
        &mut frame[5..],
        &mut SessionTables::new(SENDER),
        &mut numbers(),
    );
    assert_eq!(fault(verdict), PeerMisbehaved::NotBegun);
}

#[test]
fn the_same_announcement_again_is_legal() {
    let mut tables = tables();
    for (theirs, incarnation, name, ours) in PAIRS {
        let mut frame = Vec::new();
        put_slot(&mut frame, theirs, incarnation, name);
        let verdict = check_body(tag::SLOT, &mut frame[5..], &mut tables, &mut numbers());
        assert_eq!(verdict, Ok(Checked::Slot { nc: ours }));
    }
    assert_eq!(tables.slots(), PAIRS.len());
}

#[test]
fn announcements_are_bounded() {
    let mut tables = SessionTables::new(SENDER);
    let mut all = |_: &str, incarnation: u64| u32::try_from(incarnation - 1).ok();
    let mut announce = |count: u32| {
        let mut frame = Vec::new();
        put_slot(&mut frame, 0x100 + count, u64::from(count) + 1, "a@h:1");
        check_body(tag::SLOT, &mut frame[5..], &mut tables, &mut all)
    };
    let most = u32::try_from(MAX_SLOTS).unwrap();
    for count in 0..most {
        assert_eq!(announce(count), Ok(Checked::Slot { nc: count }));
    }
    assert_eq!(announce(most - 1), Ok(Checked::Slot { nc: most - 1 }), "repeated");
    assert_eq!(fault(announce(most)), PeerMisbehaved::TooMany("identities"));
    let mut tables = support::tables();
    for id in 3_u16..4_096 {
        let mut body = [id.to_le_bytes(), [0, 0]].concat();
        assert!(check_body(tag::SHAPE, &mut body, &mut tables, &mut numbers()).is_ok());
    }
    let mut body = [4_096_u16.to_le_bytes(), [0, 0]].concat();
    let verdict = check_body(tag::SHAPE, &mut body, &mut tables, &mut numbers());
    assert_eq!(fault(verdict), PeerMisbehaved::TooMany("object shapes"));
}

#[test]
fn the_keys_of_all_shapes_are_bounded() {
    let mut tables = tables();
    let mut left = MAX_SHAPE_BYTES - SHAPE_KEYS.iter().map(|keys| 4 + 3 * keys).sum::<usize>();
    let mut announce = |mut body: Vec<u8>| check_body(tag::SHAPE, &mut body, &mut tables, &mut numbers());
    for (id, shapes) in (3_u16..7).zip([4, 3, 2, 1]) {
        let body = shape_of(id, left / shapes);
        left -= body.len();
        assert_eq!(announce(body), Ok(Checked::Shape { id }));
    }
    assert_eq!(left, 0);
    let one_more = announce(shape_of(7, 4 + 3 * MAX_SHAPE_KEYS));
    assert_eq!(fault(one_more), PeerMisbehaved::TooMany("object shapes"));
}

/// A shape with as many keys as are legal, in a body of that many bytes.
fn shape_of(id: u16, bytes: usize) -> Vec<u8> {
    let mut body = [id.to_le_bytes(), [64, 0]].concat();
    let text = bytes - body.len() - 2 * MAX_SHAPE_KEYS;
    for key in 0..MAX_SHAPE_KEYS {
        let length = text / MAX_SHAPE_KEYS + usize::from(key < text % MAX_SHAPE_KEYS);
        let first = char::from(u8::try_from(key).unwrap());
        body.extend_from_slice(&name(&format!("{first}{}", "k".repeat(length - 1))));
    }
    body
}

#[test]
fn a_full_table_of_ours_is_not_the_peers_fault() {
    let mut frame = Vec::new();
    put_slot(&mut frame, 0x900, 1, "a@h:1");
    let mut full = |_: &str, _: u64| None;
    let verdict = check_body(tag::SLOT, &mut frame[5..], &mut tables(), &mut full);
    assert_eq!(verdict, Err(FrameError::NoNumberLeft));
}
