//! Numbers of pairs, and how many of them a peer, a network and a name may have.

use std::collections::HashSet;
use std::time::Instant;

use super::*;

const MAX_SLOT: usize = 0xFFFF;

pub(super) fn nc(table: &mut Identities, name: &str, incarnation: u64) -> u32 {
    table.number(name, incarnation).expect("room for one more").nc
}

#[test]
fn own_pair_is_zero_and_an_earlier_self_is_not() {
    let mut table = Identities::new("me@here", 7);
    assert_eq!(nc(&mut table, "me@here", 7), 0);
    assert_eq!(nc(&mut table, "me@here", 6), 1 << 8 | 1);
}

#[test]
fn a_pair_keeps_its_number() {
    let mut table = Identities::new("me@here", 7);
    let first = nc(&mut table, "a@x", 1);
    assert_eq!(nc(&mut table, "b@x", 1), 2 << 8 | 1);
    assert_eq!(nc(&mut table, "a@x", 2), first + 1);
    assert_eq!(nc(&mut table, "a@x", 1), first);
}

#[test]
fn m4_three_hundred_restarts_never_share_a_number() {
    let mut table = Identities::new("me@here", 7);
    let mut seen = HashSet::new();
    for incarnation in 1..=300 {
        assert!(seen.insert(nc(&mut table, "a@x", incarnation)));
    }
    assert_eq!(
        nc(&mut table, "a@x", 300) >> 8,
        2,
        "a second slot after 255 creations"
    );
}

/// A node of `network` connects.
pub(super) fn connect(
    table: &mut Identities,
    network: u8,
    name: &str,
    incarnation: u64,
    key: u8,
) -> Result<bool, OpenError> {
    let network = IpAddr::from([10, 0, 0, network]);
    let numbered = table.number_proved(name, incarnation, network, &[key; 32])?;
    Ok(numbered.is_some())
}

#[test]
fn the_first_key_of_an_incarnation_stays() {
    let mut table = Identities::new("me@here", 7);
    assert!(connect(&mut table, 1, "a@x", 1, 1).unwrap());
    assert!(!connect(&mut table, 1, "a@x", 1, 2).unwrap());
    assert!(connect(&mut table, 2, "a@x", 1, 1).unwrap(), "from elsewhere");
    nc(&mut table, "a@x", 2);
    assert!(
        connect(&mut table, 1, "a@x", 2, 2).unwrap(),
        "a restart has a key of its own"
    );
    assert!(
        !connect(&mut table, 1, "me@here", 7, 2).unwrap(),
        "nobody else is this node"
    );
    assert_eq!(table.len(), 2);
}

#[test]
fn one_network_leaves_numbers_to_nodes_of_others() {
    let mut table = Identities::new("me@here", 7);
    let join = |table: &mut Identities, network: u8, number: u32| {
        connect(table, network, &format!("n{number}-{network}@x"), 1, 1)
    };
    let given = (0..)
        .take_while(|number| join(&mut table, 1, *number).is_ok())
        .count();
    assert_eq!(given, 131_072, "as many as are left");
    assert!(join(&mut table, 1, 0).unwrap(), "it has its number");
    assert!(join(&mut table, 2, 0).unwrap());
    let given = (1..)
        .take_while(|number| join(&mut table, 2, *number).is_ok())
        .count();
    assert_eq!(given, 65_535);
    assert!(join(&mut table, 3, 0).unwrap());
}

#[test]
fn one_name_leaves_numbers_to_others_of_its_network() {
    let mut table = Identities::new("me@here", 7);
    let given = (1..u64::MAX)
        .take_while(|incarnation| connect(&mut table, 1, "a@x", *incarnation, 1).is_ok())
        .count();
    assert_eq!(given, 32_768, "an eighth of all");
    assert!(connect(&mut table, 1, "b@x", 1, 1).unwrap());
    assert!(
        connect(&mut table, 2, "a@x", 1 << 40, 1).unwrap(),
        "from elsewhere"
    );
}

#[test]
fn a_node_that_was_announced_counts_for_its_network_when_it_connects() {
    let mut table = Identities::new("me@here", 7);
    let announced = flood(&mut table, "hostile@x");
    for number in 0..announced {
        let name = format!("n{number}-hostile@x");
        assert!(connect(&mut table, 1, &name, 1, 1).unwrap());
    }
    assert_eq!(table.connected.all(), announced);
    assert_eq!(table.announced.all(), 0);
}

#[test]
fn a_name_whose_creations_others_have_taken_takes_those_of_others() {
    let mut table = Identities::new("me@here", 7);
    let mut seen = HashSet::new();
    for number in 0..MAX_SLOT + 2 {
        assert!(seen.insert(nc(&mut table, &format!("n{number}@x"), 1)));
    }
    for incarnation in 2..=600 {
        assert!(seen.insert(nc(&mut table, "n0@x", incarnation)));
        let last = format!("n{}@x", MAX_SLOT + 1);
        assert!(seen.insert(nc(&mut table, &last, incarnation)));
    }
}

#[test]
fn the_table_is_bounded() {
    let mut table = Identities::new("me@here", 7);
    let mut seen = HashSet::new();
    for number in 0..MAX_IDENTITIES {
        assert!(seen.insert(nc(&mut table, &format!("n{number}@x"), 1)));
    }
    assert!(!seen.contains(&0));
    assert!(table.number("one-more@x", 1).is_err());
    assert_eq!(nc(&mut table, "n7@x", 1), 8 << 8 | 1);
}

/// A peer announces a node on its only session.
fn announce(
    table: &mut Identities,
    announcer: &str,
    name: &str,
    incarnation: u64,
) -> Result<Numbered, OpenError> {
    let teller = Teller {
        name: announcer,
        session: 1,
        up: HashSet::from([1]),
        now: Instant::now(),
    };
    teller.tells(table, name, incarnation)
}

/// Announces names that no other peer knows until one is refused. Gives how many got a number.
fn flood(table: &mut Identities, announcer: &str) -> usize {
    (0..MAX_IDENTITIES)
        .take_while(|number| {
            let name = format!("n{number}-{announcer}");
            announce(table, announcer, &name, 1).is_ok()
        })
        .count()
}

#[test]
fn one_announcer_leaves_room_for_the_others() {
    let mut table = Identities::new("me@here", 7);
    assert_eq!(
        flood(&mut table, "hostile@x"),
        26_215,
        "a fifth of all, a quarter of the rest"
    );
    assert!(announce(&mut table, "hostile@x", "again@x", 1).is_err());
    assert!(announce(&mut table, "honest@x", "third@x", 1).is_ok());
    assert!(
        announce(&mut table, "hostile@x", "third@x", 1).is_ok(),
        "it is known"
    );
    for number in 0..20 {
        flood(&mut table, &format!("hostile{number}@x"));
    }
    for number in 0..32 {
        let name = format!("other{number}@x");
        assert!(announce(&mut table, "honest@x", &name, 1).is_ok(), "{number}");
    }
}

#[test]
fn restarts_of_one_name_are_counted_too() {
    let mut table = Identities::new("me@here", 7);
    let given = (1..u64::MAX)
        .take_while(|incarnation| announce(&mut table, "hostile@x", "a@x", *incarnation).is_ok())
        .count();
    assert_eq!(given, 26_215);
    assert!(announce(&mut table, "honest@x", "b@x", 1).is_ok());
}

#[test]
fn a_node_that_connects_counts_no_longer_for_its_announcer() {
    let mut table = Identities::new("me@here", 7);
    let given = flood(&mut table, "a@x");
    for number in 0..given {
        let name = format!("n{number}-a@x");
        assert!(connect(&mut table, 1, &name, 1, 1).unwrap());
    }
    assert!(announce(&mut table, "a@x", "one-more@x", 1).is_ok());
    assert_eq!(table.announced.all(), 1);
}

/// A peer that announces nodes at a moment, on a session of those that are up.
pub(super) struct Teller<'a> {
    pub(super) name: &'a str,
    pub(super) session: u64,
    pub(super) up: HashSet<u64>,
    pub(super) now: Instant,
}

impl Teller<'_> {
    pub(super) fn tells(
        &self,
        table: &mut Identities,
        name: &str,
        incarnation: u64,
    ) -> Result<Numbered, OpenError> {
        let announcer = Announcer {
            name: self.name,
            session: self.session,
            up: &self.up,
            now: self.now,
        };
        table.number_from_peer(&announcer, name, incarnation)
    }
}
