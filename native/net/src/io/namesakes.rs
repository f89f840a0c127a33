//! Decides between live nodes that have the same name.
//!
//! A restarted node has a new incarnation, and its earlier one never connects again. If a displaced incarnation connects again, it
//! is alive, and so is every incarnation that took the name after it: these are intruders. An intruder is refused while a session
//! of the name is up.

use std::collections::{HashMap, HashSet};

#[derive(Debug, Default)]
pub(super) struct Namesakes {
    /// One entry for each name that had two incarnations. An entry has each incarnation at most once in each collection, so all are
    /// bounded like the table of identities.
    names: HashMap<String, Namesake>,
}

#[derive(Debug, Default)]
struct Namesake {
    /// The incarnations that were displaced and are not back, each with the one that displaced it; the last one is last.
    displaced: Vec<(u64, u64)>,
    /// Where each stands in `displaced`.
    places: HashMap<u64, usize>,
    intruders: HashSet<u64>,
}

impl Namesakes {
    /// Whether the incarnation `incoming` may replace the session of the incarnation `held` of that name. All calls together are
    /// linear in their number.
    pub(super) fn may_displace(&mut self, name: &str, held: u64, incoming: u64) -> bool {
        if held == incoming {
            return true;
        }
        self.names
            .entry(name.to_owned())
            .or_default()
            .may_displace(held, incoming)
    }
}

impl Namesake {
    fn may_displace(&mut self, held: u64, incoming: u64) -> bool {
        // It may have come back while no session of the name was up.
        self.is_back(held);
        if self.intruders.contains(&incoming) {
            return false;
        }
        if self.is_back(incoming) {
            self.intruders.insert(held);
        } else if !self.intruders.contains(&held) {
            self.places.insert(held, self.displaced.len());
            self.displaced.push((held, incoming));
        }
        true
    }

    /// Whether that incarnation was displaced. It is connected, so all that took the name after it are intruders.
    fn is_back(&mut self, incarnation: u64) -> bool {
        let Some(at) = self.places.get(&incarnation).copied() else {
            return false;
        };
        for (displaced, by) in self.displaced.drain(at..) {
            self.places.remove(&displaced);
            self.intruders.extend([displaced, by]);
        }
        self.intruders.remove(&incarnation);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_live_nodes_displace_each_other_twice() {
        let mut names = Namesakes::default();
        assert!(names.may_displace("a@x", 1, 2));
        assert!(names.may_displace("a@x", 2, 1), "it is alive after all");
        for _ in 0..3 {
            assert!(!names.may_displace("a@x", 1, 2));
        }
        assert!(names.may_displace("a@x", 1, 3), "the first one was restarted");
        assert!(!names.may_displace("a@x", 3, 2));
    }

    #[test]
    fn an_intruder_that_was_alone_gives_way() {
        let mut names = Namesakes::default();
        assert!(names.may_displace("a@x", 1, 2));
        assert!(names.may_displace("a@x", 2, 1));
        // The first one has gone, so the second one is up.
        assert!(names.may_displace("a@x", 2, 3));
        assert!(!names.may_displace("a@x", 3, 2));
    }

    #[test]
    fn intruders_that_displace_each_other_do_not_make_the_first_one_an_intruder() {
        let mut names = Namesakes::default();
        assert!(names.may_displace("a@x", 1, 2));
        assert!(names.may_displace("a@x", 2, 3));
        assert!(names.may_displace("a@x", 3, 1), "it is alive after all");
        for intruder in [2, 3] {
            assert!(!names.may_displace("a@x", 1, intruder));
        }
        assert!(names.may_displace("a@x", 1, 4), "a third one may be a restart");
        assert!(names.may_displace("a@x", 4, 1));
        assert!(!names.may_displace("a@x", 1, 4));
    }

    /// No session of the name is up when the next one connects, so nothing asks.
    #[test]
    fn an_intruder_that_leaves_before_the_first_one_is_back_displaces_it_once() {
        let mut names = Namesakes::default();
        assert!(names.may_displace("a@x", 1, 2));
        assert!(!names.may_displace("a@x", 1, 2), "the first one is back");
        assert!(names.may_displace("a@x", 1, 3));
        // The third one has left, a fourth one has connected, and the first one comes.
        assert!(names.may_displace("a@x", 4, 1));
        for intruder in [2, 3, 4] {
            assert!(!names.may_displace("a@x", 1, intruder));
        }
    }

    #[test]
    fn an_intruder_that_was_displaced_by_a_restart_makes_it_no_intruder() {
        let mut names = Namesakes::default();
        assert!(names.may_displace("a@x", 1, 2));
        assert!(names.may_displace("a@x", 2, 1));
        // The first one is gone; the second one connects, and is displaced by the restart of the first one.
        assert!(names.may_displace("a@x", 2, 3));
        // The restart was away while the second one connected once more.
        assert!(names.may_displace("a@x", 2, 3));
        assert!(!names.may_displace("a@x", 3, 2));
    }

    #[test]
    fn what_is_remembered_is_bounded_by_the_incarnations() {
        let mut known = Namesake::default();
        for incarnation in 2..1_000 {
            assert!(known.may_displace(1, incarnation));
            assert!(known.may_displace(incarnation, 1));
            assert!(!known.may_displace(1, incarnation));
        }
        assert_eq!(
            (known.displaced.len(), known.places.len(), known.intruders.len()),
            (0, 0, 998)
        );
    }

    #[test]
    fn restarts_and_reconnects_are_never_refused() {
        let mut names = Namesakes::default();
        for incarnation in 1..300 {
            assert!(names.may_displace("a@x", incarnation, incarnation + 1));
            assert!(names.may_displace("a@x", incarnation + 1, incarnation + 1));
        }
        assert!(names.may_displace("b@x", 2, 1), "another name");
    }
}
