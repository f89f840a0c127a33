//! What a peer may announce, and when.

use snowmesh_core::frame::{Checked, FrameError, PeerMisbehaved, SessionTables, check_body, put_slot, tag};

use crate::support::{self, PAIRS, SENDER, fault, name, numbers, tables};

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
    for count in 0..65_536 {
        assert_eq!(announce(count), Ok(Checked::Slot { nc: count }));
    }
    assert_eq!(fault(announce(65_536)), PeerMisbehaved::TooMany("identities"));
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
    let keys: Vec<u8> = (0..60_u8)
        .flat_map(|key| name(&format!("{key}{}", "k".repeat(60_000))))
        .collect();
    let mut shape = |id: u16| {
        let mut body = [&id.to_le_bytes()[..], &[60, 0], &keys].concat();
        check_body(tag::SHAPE, &mut body, &mut tables, &mut numbers())
    };
    for id in 3..7 {
        assert_eq!(shape(id), Ok(Checked::Shape { id }));
    }
    assert_eq!(fault(shape(7)), PeerMisbehaved::TooMany("object shapes"));
}

#[test]
fn a_full_table_of_ours_is_not_the_peers_fault() {
    let mut frame = Vec::new();
    put_slot(&mut frame, 0x900, 1, "a@h:1");
    let mut full = |_: &str, _: u64| None;
    let verdict = check_body(tag::SLOT, &mut frame[5..], &mut tables(), &mut full);
    assert_eq!(verdict, Err(FrameError::NoNumberLeft));
}
