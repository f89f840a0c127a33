//! The key of the cookie and the proofs made with it.

use std::fmt;
use std::num::NonZeroU32;

use ring::{hmac, pbkdf2};

use super::error::HandshakeError;
use super::messages::{Decision, MAC_BYTES};
use crate::cookie::StrongCookie;

/// Bytes of the TLS exporter value.
pub const EXPORTER_BYTES: usize = 32;
/// The label under which both sides ask TLS for the exporter value, with an empty context (RFC 9266).
pub const EXPORTER_LABEL: &[u8] = b"EXPORTER-Channel-Binding";

const SALT: &[u8] = b"snowmesh cookie v1";
const ITERATIONS: NonZeroU32 = NonZeroU32::new(65_536).unwrap();
const INITIATOR: &[u8] = b"snowmesh/1 initiator";
const ACCEPTOR: &[u8] = b"snowmesh/1 acceptor";

/// The key derived from the cookie. `Debug` does not show it.
#[derive(Clone)]
pub struct CookieKey(hmac::Key);

impl CookieKey {
    /// Derives the key. Takes tens of milliseconds: once per start.
    #[must_use]
    pub fn derive(cookie: &StrongCookie) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, &stretch(cookie)))
    }

    /// A key from its 32 bytes, for tests and vectors.
    #[must_use]
    pub fn from_bytes(key: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    pub(super) fn sign(&self, covered: &Covered<'_>) -> [u8; MAC_BYTES] {
        // HMAC-SHA256 always gives 32 bytes.
        hmac::sign(&self.0, &covered.message())
            .as_ref()
            .try_into()
            .unwrap_or([0; MAC_BYTES])
    }

    /// Compares in constant time.
    pub(super) fn verify(&self, covered: &Covered<'_>, mac: &[u8; MAC_BYTES]) -> Result<(), HandshakeError> {
        hmac::verify(&self.0, &covered.message(), mac).map_err(|_| HandshakeError::BadProof)
    }
}

/// What a proof covers. The label of the role prevents reflection, the exporter value prevents relaying.
#[derive(Clone, Copy, Debug)]
pub(super) struct Covered<'a> {
    /// `Some` in the acceptor's proof.
    pub(super) decision: Option<Decision>,
    pub(super) exporter: &'a [u8; EXPORTER_BYTES],
    /// HELLO and CHALLENGE as sent, length and tag included.
    pub(super) transcript: &'a [u8],
}

impl Covered<'_> {
    fn message(&self) -> Vec<u8> {
        let label = if self.decision.is_some() {
            ACCEPTOR
        } else {
            INITIATOR
        };
        let mut message = [label, self.exporter, self.transcript].concat();
        message.extend(self.decision.map(|decision| decision as u8));
        message
    }
}

impl fmt::Debug for CookieKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("CookieKey(..)")
    }
}

/// The 32 bytes of the key, for the known-answer test.
fn stretch(cookie: &StrongCookie) -> [u8; 32] {
    let mut key = [0; 32];
    pbkdf2::derive(
        pbkdf2::PBKDF2_HMAC_SHA256,
        ITERATIONS,
        SALT,
        cookie.as_bytes(),
        &mut key,
    );
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t15_a_key_is_never_shown() {
        assert_eq!(format!("{:?}", CookieKey::from_bytes(&[7; 32])), "CookieKey(..)");
    }

    #[test]
    fn a_derived_key_is_the_key_of_its_bytes() {
        let cookie = StrongCookie::parse("correct horse battery staple").unwrap();
        let covered = Covered {
            decision: None,
            exporter: &[1; 32],
            transcript: b"transcript",
        };
        let derived = CookieKey::derive(&cookie).sign(&covered);
        assert_eq!(CookieKey::from_bytes(&stretch(&cookie)).sign(&covered), derived);
    }

    #[test]
    fn t8_roles_and_decisions_have_proofs_of_their_own() {
        let key = CookieKey::from_bytes(&[7; 32]);
        let covered = Covered {
            decision: None,
            exporter: &[1; 32],
            transcript: b"transcript",
        };
        let accepted = Covered {
            decision: Some(Decision::Accepted),
            ..covered
        };
        let duplicate = Covered {
            decision: Some(Decision::Duplicate),
            ..covered
        };
        let all = [covered, accepted, duplicate];
        for (index, made) in all.iter().enumerate() {
            for (other, checked) in all.iter().enumerate() {
                assert_eq!(key.verify(checked, &key.sign(made)).is_ok(), index == other);
            }
        }
    }
}
