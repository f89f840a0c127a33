//! Decides between two live nodes that have the same name.
//!
//! A restarted node has a new incarnation, and its earlier one never connects again. If a displaced incarnation connects again,
//! both nodes are alive. Then the one that had displaced it is the intruder, and is refused while a session of the name is up.

use std::collections::HashMap;

#[derive(Debug, Default)]
pub(super) struct Namesakes {
    /// One entry for each name that had two incarnations, so it is bounded like the table of identities.
    names: HashMap<String, Namesake>,
}

#[derive(Debug)]
struct Namesake {
    /// The incarnation that was displaced last, and the one that displaced it.
    displaced: u64,
    by: u64,
    intruder: Option<u64>,
}

impl Namesakes {
    /// Whether the incarnation `incoming` may replace the session of the incarnation `held` of that name.
    pub(super) fn may_displace(&mut self, name: &str, held: u64, incoming: u64) -> bool {
        if held == incoming {
            return true;
        }
        let Some(known) = self.names.get_mut(name) else {
            let first = Namesake {
                displaced: held,
                by: incoming,
                intruder: None,
            };
            self.names.insert(name.to_owned(), first);
            return true;
        };
        if known.intruder == Some(incoming) {
            return false;
        }
        if known.displaced == incoming && known.by == held {
            known.intruder = Some(held);
        }
        known.displaced = held;
        known.by = incoming;
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
    fn restarts_and_reconnects_are_never_refused() {
        let mut names = Namesakes::default();
        for incarnation in 1..300 {
            assert!(names.may_displace("a@x", incarnation, incarnation + 1));
            assert!(names.may_displace("a@x", incarnation + 1, incarnation + 1));
        }
        assert!(names.may_displace("b@x", 2, 1), "another name");
    }
}
