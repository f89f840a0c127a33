//! Limits how many of the numbers each user takes, so that one user cannot use up those of the others.

use std::collections::HashMap;
use std::hash::Hash;

/// Counts the numbers that each user has. A user gets another one while its own, times a factor, are fewer than what is left.
#[derive(Debug)]
pub(crate) struct Shares<K> {
    factor: usize,
    by_user: HashMap<K, usize>,
    all: usize,
}

impl<K: Clone + Eq + Hash> Shares<K> {
    pub(crate) fn new(factor: usize) -> Self {
        Self {
            factor,
            by_user: HashMap::new(),
            all: 0,
        }
    }

    /// What all users together have.
    pub(crate) fn all(&self) -> usize {
        self.all
    }

    /// Asks whether `user` may take one more number, while so many are left. An error: it may not, and it has so many.
    pub(crate) fn admit(&self, user: &K, left: usize) -> Result<(), usize> {
        let used = self.by_user.get(user).copied().unwrap_or_default();
        if used * self.factor < left {
            Ok(())
        } else {
            Err(used)
        }
    }

    pub(crate) fn add(&mut self, user: K) {
        self.all += 1;
        *self.by_user.entry(user).or_default() += 1;
    }

    /// A number no longer counts for its user.
    pub(crate) fn remove(&mut self, user: &K) {
        let Some(used) = self.by_user.get_mut(user) else {
            return;
        };
        self.all -= 1;
        *used -= 1;
        if *used == 0 {
            self.by_user.remove(user);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_user_gives_back_it_may_take_again() {
        let mut shares = Shares::new(4);
        for used in 0..5 {
            assert_eq!(shares.admit(&"a", 17), Ok(()), "{used}");
            shares.add("a");
        }
        assert_eq!((shares.admit(&"a", 17), shares.admit(&"b", 17)), (Err(5), Ok(())));
        shares.remove(&"a");
        assert_eq!((shares.admit(&"a", 17), shares.all()), (Ok(()), 4));
        (0..6).for_each(|_| shares.remove(&"a"));
        assert_eq!((shares.all(), shares.by_user.len()), (0, 0));
    }
}
