//! A body is legal or ends the session, and its PIDs are rewritten exactly (T1, T2, T12).

use proptest::prelude::*;
use snowmesh_core::Pid;
use snowmesh_core::frame::{
    Checked, PeerMisbehaved, Route, SessionTables, check_body, check_joined, put_goodbye, put_ping, put_pong,
    put_slot, tag,
};
use snowmesh_core::term::encode;

use crate::support::{
    PAIRS, SENDER, SHAPE_KEYS, fault, known_pid, name, numbers, receive, tables, term, translate, translated,
};

const US: u32 = PAIRS[0].0;

proptest! {
    #[test]
    fn t1_arbitrary_bodies_do_no_harm(tag in any::<u8>(), mut body in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = receive(tag, &mut body);
        let _ = check_joined(&mut body, &mut tables(), &mut numbers());
        let _ = check_body(tag, &mut body, &mut SessionTables::new(SENDER), &mut numbers());
    }

    #[test]
    fn send_is_rewritten_exactly(to in known_pid(), message in term()) {
        let mut body = [&to.bits().to_le_bytes()[..], &encode(&message)].concat();
        let verdict = receive(tag::SEND, &mut body).unwrap();
        let ours = to.with_nc(translate(to.nc()).unwrap());
        let route = if ours.is_local() { Route::Actor(ours) } else { Route::Foreign(ours) };
        prop_assert_eq!(verdict, Checked::Deliver(route));
        prop_assert_eq!(body, [&ours.bits().to_le_bytes()[..], &encode(&translated(&message))].concat());
    }

    #[test]
    fn t2_legal_bodies_cut_or_lengthened_are_refused(
        body in legal_body(),
        cut in any::<prop::sample::Index>(),
    ) {
        let (tag, body) = body;
        prop_assert!(receive(tag, &mut body.clone()).is_ok());
        // SYSTEM without its term, and so on: every prefix is illegal.
        let mut short = body[..cut.index(body.len())].to_vec();
        prop_assert!(receive(tag, &mut short).is_err(), "{tag:#x}");
        let mut long = body;
        long.push(0);
        prop_assert!(receive(tag, &mut long).is_err(), "{tag:#x}");
    }

    #[test]
    fn t12_from_must_be_the_senders(body in body_with_from(), other in 1_u32..) {
        let (tag, mut body) = body;
        let nc = other % 0xFF_FFFF + 1;
        body[..8].copy_from_slice(&Pid::new(nc, 3).bits().to_le_bytes());
        prop_assert_eq!(fault(receive(tag, &mut body)), PeerMisbehaved::NotFromSender);
    }
}

/// Every tag, except those without a fixed length, with a legal body.
fn legal_body() -> impl Strategy<Value = (u8, Vec<u8>)> {
    let head = prop_oneof![
        Just((tag::REG_SEND, name("server"))),
        Just((tag::GLOBAL_REGISTER, vec![])),
        Just((tag::GLOBAL_UNREGISTER, vec![])),
        Just((tag::GLOBAL_SYNC, vec![])),
        prop::collection::vec(any::<u8>(), 0..40).prop_map(|payload| {
            let length = u32::try_from(payload.len()).unwrap().to_le_bytes();
            (
                tag::ROOM_BROADCAST,
                [name("lobby"), length.to_vec(), payload].concat(),
            )
        }),
        Just((tag::SYSTEM, name("groups"))),
        reference().prop_map(|r| (tag::ALIAS_SEND, r)),
        (reference(), any::<u8>()).prop_map(|(r, status)| (tag::REPLY, [&r[..], &[status]].concat())),
        (pid(), reference()).prop_map(|(to, r)| (tag::MONITOR_EXIT, [to, r].concat())),
        (pid(), reference(), any::<u8>(), pid())
            .prop_map(|(to, r, status, child)| (tag::SPAWN_REPLY, [&to[..], &r, &[status], &child].concat())),
    ];
    let with_term = (head, term()).prop_map(|((tag, head), term)| (tag, [head, encode(&term)].concat()));
    let tick = (prop_oneof![Just(tag::PING), Just(tag::PONG)], any::<[u8; 12]>())
        .prop_map(|(tag, tick)| (tag, tick.to_vec()));
    let goodbye = any::<u8>().prop_map(|cause| (tag::GOODBYE, vec![cause]));
    let slot = prop::sample::select(&PAIRS[..]).prop_map(|(theirs, incarnation, name, _)| {
        let mut frame = Vec::new();
        put_slot(&mut frame, theirs, incarnation, name);
        (tag::SLOT, frame[5..].to_vec())
    });
    let shape = prop::collection::btree_set("[a-z]{0,9}", 0..5).prop_map(|keys| {
        let id = u16::try_from(SHAPE_KEYS.len()).unwrap().to_le_bytes();
        let count = u16::try_from(keys.len()).unwrap().to_le_bytes();
        let keys: Vec<u8> = keys.iter().flat_map(|key| name(key)).collect();
        (tag::SHAPE, [&id[..], &count, &keys].concat())
    });
    let peers = prop::collection::vec("[a-z]{1,9}", 0..5).prop_map(|names| {
        let list: Vec<u8> = names.iter().flat_map(|text| name(text)).collect();
        (
            tag::PEER_LIST,
            [&u16::try_from(names.len()).unwrap().to_le_bytes()[..], &list].concat(),
        )
    });
    prop_oneof![4 => with_term, 1 => tick, 1 => peers, 1 => goodbye, 1 => slot, 1 => shape, 4 => body_with_from()]
}

fn body_with_from() -> impl Strategy<Value = (u8, Vec<u8>)> {
    let to = || pid();
    let parts = prop_oneof![
        to().prop_map(|to| (tag::LINK, to)),
        to().prop_map(|to| (tag::SPAWN_ACK, to)),
        (to(), any::<[u8; 8]>()).prop_map(|(to, id)| (tag::UNLINK, [&to[..], &id].concat())),
        (to(), any::<[u8; 8]>()).prop_map(|(to, id)| (tag::UNLINK_ACK, [&to[..], &id].concat())),
        (to(), term()).prop_map(|(to, reason)| (tag::EXIT, [to, encode(&reason)].concat())),
        (to(), term()).prop_map(|(to, reason)| (tag::EXIT2, [to, encode(&reason)].concat())),
        (reference(), to()).prop_map(|(r, to)| (tag::MONITOR, [&r[..], &[0], &to].concat())),
        reference().prop_map(|r| (tag::MONITOR, [&r[..], &[1], &name("server")].concat())),
        reference().prop_map(|r| (tag::DEMONITOR, r)),
        (reference(), reference(), any::<u8>(), term()).prop_map(|(r, monitor, flags, arguments)| {
            (
                tag::SPAWN,
                [&r[..], &[flags], &monitor, &name("worker"), &encode(&arguments)].concat(),
            )
        }),
        (reference(), any::<[u8; 4]>(), to(), term())
            .prop_map(|(r, ms, to, request)| (tag::CALL, [&r[..], &ms, &to, &encode(&request)].concat())),
        (reference(), any::<[u8; 4]>(), term()).prop_map(|(r, ms, request)| {
            (
                tag::REG_CALL,
                [&r[..], &ms, &name("server"), &encode(&request)].concat(),
            )
        }),
    ];
    parts.prop_map(|(tag, rest)| (tag, [&Pid::new(0, 9).bits().to_le_bytes()[..], &rest].concat()))
}

fn pid() -> impl Strategy<Value = Vec<u8>> {
    known_pid().prop_map(|pid| pid.bits().to_le_bytes().to_vec())
}

fn reference() -> impl Strategy<Value = Vec<u8>> {
    (known_pid(), 0_u64..1 << 53)
        .prop_map(|(owner, id)| [owner.bits().to_le_bytes(), id.to_le_bytes()].concat())
}

#[test]
fn what_must_travel_whole_is_refused_in_fragments() {
    let whole = [
        tag::FRAGMENT,
        tag::SLOT,
        tag::SHAPE,
        tag::GOODBYE,
        tag::PING,
        tag::PONG,
    ];
    for tag in whole {
        let mut joined = [tag, 0, 0, 0, 0, 0];
        let verdict = check_joined(&mut joined, &mut tables(), &mut numbers());
        assert_eq!(fault(verdict), PeerMisbehaved::NotForFragments(tag));
    }
    let mut joined = [
        &[tag::SEND][..],
        &Pid::new(US, 5).bits().to_le_bytes(),
        &[2, 0x40],
    ]
    .concat();
    let verdict = check_joined(&mut joined, &mut tables(), &mut numbers());
    assert_eq!(verdict, Ok(Checked::Deliver(Route::Actor(Pid::new(0, 5)))));
}

#[test]
fn a_frame_goes_to_the_actor_that_it_names_and_otherwise_to_the_node() {
    let ours = || Pid::new(US, 5).bits().to_le_bytes().to_vec();
    let theirs = || Pid::new(0, 9).bits().to_le_bytes().to_vec();
    let reference = |owner: Vec<u8>| [owner, vec![0; 8]].concat();
    let null = || encode(&snowmesh_core::term::Term::Null);
    let actor = Route::Actor(Pid::new(0, 5));
    for (tag, mut body, route) in [
        (tag::SEND, [ours(), null()].concat(), actor),
        (tag::LINK, [theirs(), ours()].concat(), actor),
        (
            tag::MONITOR,
            [theirs(), reference(theirs()), vec![0], ours()].concat(),
            actor,
        ),
        (tag::REPLY, [reference(ours()), vec![0], null()].concat(), actor),
        (tag::ALIAS_SEND, [reference(ours()), null()].concat(), actor),
        (
            tag::SEND,
            [theirs(), null()].concat(),
            Route::Foreign(Pid::new(SENDER, 9)),
        ),
        (
            tag::MONITOR,
            [theirs(), reference(theirs()), vec![1], name("server")].concat(),
            Route::Node,
        ),
        (tag::REG_SEND, [name("server"), null()].concat(), Route::Node),
        (
            tag::DEMONITOR,
            [theirs(), reference(theirs())].concat(),
            Route::Everyone,
        ),
    ] {
        assert_eq!(receive(tag, &mut body), Ok(Checked::Deliver(route)), "{tag:#x}");
    }
}

#[test]
fn what_a_session_writes_is_read_as_it_was_written() {
    let read = |put: &dyn Fn(&mut Vec<u8>)| {
        let mut frame = Vec::new();
        put(&mut frame);
        assert_eq!(frame[..4], u32::try_from(frame.len() - 4).unwrap().to_le_bytes());
        receive(frame[4], &mut frame[5..]).unwrap()
    };
    let (sequence, loop_age_ms) = (0x0102_0304_0506_0708, 0x090A_0B0C);
    assert_eq!(
        read(&|out| put_ping(out, sequence, loop_age_ms)),
        Checked::Ping {
            sequence,
            loop_age_ms
        }
    );
    assert_eq!(
        read(&|out| put_pong(out, sequence, loop_age_ms)),
        Checked::Pong {
            sequence,
            loop_age_ms
        }
    );
    assert_eq!(read(&|out| put_goodbye(out, 3)), Checked::Goodbye { cause: 3 });
}
