//! Which cookies are strong enough to start with.
//!
//! Whoever receives a proof can test guesses of the cookie against it offline, so a cookie must not be
//! guessable. The check is a minimum, not a measure of entropy: use 32 random bytes.

use std::collections::BTreeSet;
use std::fmt;

use thiserror::Error;

/// The minimum length of a cookie in bytes.
pub const MIN_COOKIE_BYTES: usize = 16;
/// The minimum number of different characters in a cookie.
pub const MIN_COOKIE_DISTINCT: usize = 6;

/// The operator's cookie cannot be used. No variant carries any part of it.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum CookieError {
    /// It is empty.
    #[error("the cookie is missing")]
    Missing,
    /// It has too few different characters.
    #[error("the cookie has only {distinct} different characters; at least {MIN_COOKIE_DISTINCT} are needed")]
    TooFewDistinct {
        /// How many it has.
        distinct: usize,
    },
    /// It is too short.
    #[error("the cookie has only {length} bytes; at least {MIN_COOKIE_BYTES} are needed")]
    TooShort {
        /// How many bytes it has.
        length: usize,
    },
}

/// A cookie that is strong enough. `Debug` does not show it.
pub struct StrongCookie(String);

impl StrongCookie {
    /// Refuses a cookie that is missing or can be guessed.
    ///
    /// # Errors
    /// The first rule that the cookie breaks.
    pub fn parse(cookie: &str) -> Result<Self, CookieError> {
        if cookie.is_empty() {
            return Err(CookieError::Missing);
        }
        if cookie.len() < MIN_COOKIE_BYTES {
            return Err(CookieError::TooShort { length: cookie.len() });
        }
        let distinct = cookie.chars().collect::<BTreeSet<_>>().len();
        if distinct < MIN_COOKIE_DISTINCT {
            return Err(CookieError::TooFewDistinct { distinct });
        }
        Ok(Self(cookie.to_owned()))
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for StrongCookie {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("StrongCookie(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(cookie: &str) -> Option<CookieError> {
        StrongCookie::parse(cookie).err()
    }

    #[test]
    fn refuses_what_is_missing_short_or_repeats() {
        assert_eq!(refusal(""), Some(CookieError::Missing));
        assert_eq!(
            refusal("abcdefghijklmno"),
            Some(CookieError::TooShort { length: 15 })
        );
        assert_eq!(
            refusal("abcdeabcdeabcdeabcde"),
            Some(CookieError::TooFewDistinct { distinct: 5 })
        );
        assert_eq!(
            refusal("ééééééééé"),
            Some(CookieError::TooFewDistinct { distinct: 1 })
        );
    }

    #[test]
    fn accepts_the_least_that_passes() {
        assert_eq!(refusal("abcdefabcdefabcd"), None);
    }

    #[test]
    fn never_shows_the_cookie() {
        let strong = StrongCookie::parse("hunter2 and ten more").unwrap();
        let weak = refusal("hunter2").unwrap();
        assert!(!format!("{strong:?} {weak:?} {weak}").contains("hunter"));
    }
}
