//! Which announced nodes are forgotten, so that their announcer may announce others.

use super::*;
use crate::identities::Identities;
use crate::identities::tests::{Teller, connect, nc};

/// A table in which `hostile@x` has used up its share on session 1, and that peer.
fn full(begun: Instant) -> (Identities, Teller<'static>) {
    let mut table = Identities::new("me@here", 7);
    let teller = Teller {
        name: "hostile@x",
        session: 1,
        up: HashSet::from([1]),
        now: begun,
    };
    let given = (0..)
        .take_while(|number| teller.tells(&mut table, &format!("n{number}@x"), 1).is_ok())
        .count();
    assert_eq!(given, 26_215);
    (table, teller)
}

#[test]
fn a_peer_whose_share_is_used_up_loses_the_oldest_after_a_day() {
    let begun = Instant::now();
    let (mut table, mut teller) = full(begun);
    let (first, last) = (nc(&mut table, "n0@x", 1), nc(&mut table, "n26214@x", 1));
    teller.now = begun + KEPT;
    assert!(
        teller.tells(&mut table, "held@x", 1).is_err(),
        "its session may name all"
    );
    (teller.session, teller.up) = (2, HashSet::from([2]));
    teller.now = begun + KEPT / 2;
    assert!(teller.tells(&mut table, "early@x", 1).is_err());
    teller.now = begun + KEPT;
    // The move back of those that were held has changed the order: n8 is the first one now.
    let second = nc(&mut table, "n9@x", 1);
    assert!(!teller.tells(&mut table, "n8@x", 1).unwrap().is_new);
    let numbered = teller.tells(&mut table, "new@x", 1).unwrap();
    assert_eq!((numbered.is_new, numbered.forgotten), (true, Some(second)));
    assert_eq!((table.len(), table.announced.all()), (26_215, 26_215));
    let again = teller.tells(&mut table, "n9@x", 1).unwrap();
    assert!(again.is_new && again.nc != second, "no number is given twice");
    assert_eq!(nc(&mut table, "n26214@x", 1), last);
    assert_eq!(nc(&mut table, "n0@x", 1), first);
}

#[test]
fn what_another_session_may_name_or_has_connected_is_not_forgotten() {
    let begun = Instant::now();
    let (mut table, mut teller) = full(begun);
    let honest = Teller {
        name: "honest@x",
        session: 3,
        up: HashSet::from([1, 3]),
        now: begun,
    };
    assert!(connect(&mut table, 1, "n0@x", 1, 1).unwrap());
    assert!(
        teller.tells(&mut table, "instead@x", 1).is_ok(),
        "n0 counts for its network now"
    );
    for number in 2..26_215 {
        honest.tells(&mut table, &format!("n{number}@x"), 1).unwrap();
    }
    let free = ["n1@x", "instead@x"].map(|name| nc(&mut table, name, 1));
    (teller.session, teller.up) = (2, HashSet::from([2, 3]));
    teller.now = begun + KEPT;
    for (number, nc) in free.into_iter().enumerate() {
        let numbered = teller.tells(&mut table, &format!("new{number}@x"), 1).unwrap();
        assert_eq!(numbered.forgotten, Some(nc));
    }
    assert!(teller.tells(&mut table, "held@x", 1).is_err());
    teller.up = HashSet::from([2]);
    assert!(
        teller.tells(&mut table, "new@x", 1).is_ok(),
        "the session of the honest peer is over"
    );
    assert!(
        !connect(&mut table, 1, "n0@x", 1, 2).unwrap(),
        "its key is pinned"
    );
}

#[test]
fn one_that_very_many_sessions_announced_is_kept() {
    let begun = Instant::now();
    let (mut table, mut teller) = full(begun);
    for session in 3..100 {
        let other = Teller {
            name: "other@x",
            session,
            up: (1..100).collect(),
            now: begun,
        };
        other.tells(&mut table, "n0@x", 1).unwrap();
    }
    (teller.session, teller.up) = (2, HashSet::from([2]));
    teller.now = begun + KEPT;
    let kept = nc(&mut table, "n0@x", 1);
    for number in 0..26_214 {
        let numbered = teller.tells(&mut table, &format!("new{number}@x"), 1).unwrap();
        assert!(numbered.forgotten.is_some_and(|forgotten| forgotten != kept));
    }
    assert!(
        teller.tells(&mut table, "one-more@x", 1).is_err(),
        "all others are new"
    );
}
