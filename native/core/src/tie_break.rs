//! Which of two connections between the same two nodes stays (section 4 of the wire; rules K8 to K10).
//!
//! The accepting side decides once per incoming connection, **after** the peer's proof was verified and before
//! its ACK is written. It must not decide on HELLO: the peer may have abandoned that connection since, and a
//! working session would be replaced by one that never comes up.

use std::cmp::Ordering;

/// Everything the decision depends on.
#[derive(Clone, Copy, Debug)]
pub struct Incoming<'a> {
    /// This node's name.
    pub own_name: &'a str,
    /// The name that the peer proved to hold.
    pub peer_name: &'a str,
    /// The peer's incarnation from its HELLO.
    pub peer_incarnation: u64,
    /// Whether a dial of ours to that name is in progress.
    pub is_dialling: bool,
    /// The session we hold with that name.
    pub session: Option<HeldSession>,
}

/// A session that is up while the incoming connection is decided on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct HeldSession {
    /// The peer's incarnation in that session.
    pub incarnation: u64,
    /// Whether we dialled it.
    pub dialled_by_us: bool,
    /// Whether this session came up after the HELLO of the incoming connection had arrived. Then both nodes
    /// dialled at once, and the peer has lost no session.
    pub is_newer_than_hello: bool,
}

/// What becomes of the incoming connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// ACK with decision 0. A dial of ours to that peer, if any, is dropped.
    Accept,
    /// End the held session (`replaced`), then ACK with decision 0.
    AcceptAndReplace,
    /// ACK with decision 1 and close: our own connection stays.
    Duplicate,
}

/// Decides about an incoming connection. Both ends reach the same connection from the same facts.
#[must_use]
pub fn tie_break(incoming: &Incoming<'_>) -> Verdict {
    let own_wins = incoming.own_name.as_bytes().cmp(incoming.peer_name.as_bytes()) == Ordering::Greater;
    match incoming.session {
        None if incoming.is_dialling && own_wins => Verdict::Duplicate,
        None => Verdict::Accept,
        Some(held) if held.incarnation != incoming.peer_incarnation => Verdict::AcceptAndReplace,
        Some(held) if held.is_newer_than_hello && held.dialled_by_us && own_wins => Verdict::Duplicate,
        Some(_) => Verdict::AcceptAndReplace,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [(&str, &str, bool); 4] = [
        ("b@h:1", "a@h:1", true),
        ("a@h:1", "b@h:1", false),
        // Bytes decide, not collation: upper case is below lower case, é is above z.
        ("a@h:1", "B@h:1", true),
        ("z@h:1", "é@h:1", false),
    ];

    #[test]
    fn every_combination_follows_the_rules() {
        for (own_name, peer_name, own_wins) in NAMES {
            for is_dialling in [false, true] {
                let ask = |session| {
                    tie_break(&Incoming {
                        own_name,
                        peer_name,
                        peer_incarnation: 7,
                        is_dialling,
                        session,
                    })
                };
                let alone = if is_dialling && own_wins {
                    Verdict::Duplicate
                } else {
                    Verdict::Accept
                };
                assert_eq!(ask(None), alone, "K8: the greater name's dial stays");
                for dialled_by_us in [false, true] {
                    for is_newer_than_hello in [false, true] {
                        let held = |incarnation| {
                            Some(HeldSession {
                                incarnation,
                                dialled_by_us,
                                is_newer_than_hello,
                            })
                        };
                        assert_eq!(
                            ask(held(8)),
                            Verdict::AcceptAndReplace,
                            "K9: a restarted peer is taken"
                        );
                        let crossing = own_wins && dialled_by_us && is_newer_than_hello;
                        let same = if crossing {
                            Verdict::Duplicate
                        } else {
                            Verdict::AcceptAndReplace
                        };
                        assert_eq!(ask(held(7)), same, "K9: a peer that lost its end is taken");
                    }
                }
            }
        }
    }

    #[test]
    fn k8_of_two_simultaneous_dials_exactly_one_is_kept_by_both() {
        for (one, other, _) in NAMES {
            let verdict = |own_name, peer_name| {
                tie_break(&Incoming {
                    own_name,
                    peer_name,
                    peer_incarnation: 1,
                    is_dialling: true,
                    session: None,
                })
            };
            let verdicts = [verdict(one, other), verdict(other, one)];
            assert!(verdicts.contains(&Verdict::Accept) && verdicts.contains(&Verdict::Duplicate));
        }
    }
}
