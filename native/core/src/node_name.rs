//! Node names: `name@host:port`, compared as bytes.

use core::net::{Ipv4Addr, Ipv6Addr};
use std::fmt;

use thiserror::Error;

/// The longest node name in bytes.
pub const MAX_NODE_NAME_BYTES: usize = 255;

/// Invisible, and removed by many decoders: two different names would look the same.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// Why a text is not a node name (rule K3).
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum NodeNameError {
    /// The host is neither a DNS name nor an address.
    #[error("the host of a node name must be a DNS name, an IPv4 address or an IPv6 address in brackets")]
    BadHost,
    /// The port is missing, not decimal, or above 65 535.
    #[error("the port of a node name must be a decimal number from 0 to 65535")]
    BadPort,
    /// It contains a control character, white space or a byte order mark.
    #[error("a node name contains no control characters and no white space")]
    ControlCharacter,
    /// The part before the `@` contains a character of addresses.
    #[error("the part of a node name before the @ contains none of : [ ]")]
    BadName,
    /// Nothing stands before the `@`.
    #[error("the part of a node name before the @ is empty")]
    EmptyName,
    /// There is no `@`.
    #[error("a node name has the form name@host:port")]
    NoAt,
    /// It is not UTF-8.
    #[error("a node name is valid UTF-8")]
    NotUtf8,
    /// It is longer than 255 bytes.
    #[error("a node name has at most {MAX_NODE_NAME_BYTES} bytes")]
    TooLong,
    /// There is more than one `@`.
    #[error("a node name has exactly one @")]
    TwoAts,
}

/// A legal node name.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct NodeName {
    text: String,
    at: usize,
    colon: usize,
    port: u16,
}

impl NodeName {
    /// Parses `name@host:port`.
    ///
    /// # Errors
    /// The first rule that the text breaks.
    pub fn parse(text: &str) -> Result<Self, NodeNameError> {
        if text.len() > MAX_NODE_NAME_BYTES {
            return Err(NodeNameError::TooLong);
        }
        if text
            .chars()
            .any(|c| c.is_control() || c.is_whitespace() || c == BYTE_ORDER_MARK)
        {
            return Err(NodeNameError::ControlCharacter);
        }
        let (name, address) = text.split_once('@').ok_or(NodeNameError::NoAt)?;
        if address.contains('@') {
            return Err(NodeNameError::TwoAts);
        }
        if name.is_empty() {
            return Err(NodeNameError::EmptyName);
        }
        if name.contains([':', '[', ']']) {
            return Err(NodeNameError::BadName);
        }
        let (host, port) = address.rsplit_once(':').ok_or(NodeNameError::BadPort)?;
        check_host(host)?;
        let port = parse_port(port)?;
        Ok(Self {
            at: name.len(),
            colon: name.len() + 1 + host.len(),
            port,
            text: text.to_owned(),
        })
    }

    /// Parses bytes that a peer sent.
    ///
    /// # Errors
    /// [`NodeNameError::NotUtf8`], or the first rule that the text breaks.
    pub fn parse_bytes(bytes: &[u8]) -> Result<Self, NodeNameError> {
        if bytes.len() > MAX_NODE_NAME_BYTES {
            return Err(NodeNameError::TooLong);
        }
        Self::parse(std::str::from_utf8(bytes).map_err(|_| NodeNameError::NotUtf8)?)
    }

    /// The whole name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What stands before the `@`.
    #[must_use]
    pub fn name(&self) -> &str {
        self.text.get(..self.at).unwrap_or_default()
    }

    /// The host; an IPv6 address without its brackets, ready for a look-up.
    #[must_use]
    pub fn host(&self) -> &str {
        let host = self.text.get(self.at + 1..self.colon).unwrap_or_default();
        host.strip_prefix('[')
            .and_then(|inner| inner.strip_suffix(']'))
            .unwrap_or(host)
    }

    /// The port; 0 asks the system for one.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The same name with another port: what a node that asked for port 0 is called once it listens.
    ///
    /// # Errors
    /// [`NodeNameError::TooLong`] when the longer port does not fit.
    pub fn with_port(&self, port: u16) -> Result<Self, NodeNameError> {
        let before = self.text.get(..self.colon).unwrap_or_default();
        Self::parse(&format!("{before}:{port}"))
    }
}

impl AsRef<str> for NodeName {
    fn as_ref(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for NodeName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.text)
    }
}

fn check_host(host: &str) -> Result<(), NodeNameError> {
    let is_legal = if let Some(inner) = host.strip_prefix('[') {
        inner
            .strip_suffix(']')
            .is_some_and(|address| address.parse::<Ipv6Addr>().is_ok())
    } else if host.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        host.parse::<Ipv4Addr>().is_ok()
    } else {
        host.split('.').all(is_dns_label)
    };
    is_legal.then_some(()).ok_or(NodeNameError::BadHost)
}

/// Letters, digits, hyphens inside, and the underscore that container networks use.
fn is_dns_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && label
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        && !label.starts_with('-')
        && !label.ends_with('-')
}

/// Canonical decimal only: names are compared as bytes, so `:080` must not be a second spelling of `:80`.
fn parse_port(port: &str) -> Result<u16, NodeNameError> {
    let canonical = port == "0" || (!port.starts_with('0') && port.bytes().all(|b| b.is_ascii_digit()));
    if !canonical {
        return Err(NodeNameError::BadPort);
    }
    port.parse().map_err(|_| NodeNameError::BadPort)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn k4_takes_dns_names_and_both_kinds_of_address() {
        let v6 = NodeName::parse("a@[::1]:4370").unwrap();
        assert_eq!((v6.name(), v6.host(), v6.port()), ("a", "::1", 4370));
        let v4 = NodeName::parse("a@127.0.0.1:0").unwrap();
        assert_eq!((v4.name(), v4.host(), v4.port()), ("a", "127.0.0.1", 0));
        let dns = NodeName::parse("käse@my_host-1.example.org:65535").unwrap();
        assert_eq!(
            (dns.name(), dns.host(), dns.port()),
            ("käse", "my_host-1.example.org", 65535)
        );
        assert_eq!(v6.with_port(1).unwrap().as_str(), "a@[::1]:1");
    }

    #[test]
    fn k3_refuses_bad_names_with_the_rule_they_break() {
        use NodeNameError::*;
        let long = format!("{}@h:1", "a".repeat(252));
        let cases = [
            ("", NoAt),
            ("a", NoAt),
            ("a:1", NoAt),
            ("@h:1", EmptyName),
            ("a@", BadPort),
            ("a@h", BadPort),
            ("a@h:", BadPort),
            ("a@:1", BadHost),
            ("a@@h:1", TwoAts),
            ("a@h@i:1", TwoAts),
            ("a@h:65536", BadPort),
            ("a@h:-1", BadPort),
            ("a@h:+1", BadPort),
            ("a@h:01", BadPort),
            ("a@h:x", BadPort),
            ("a@::1:1", BadHost),
            ("a@[::1:1", BadHost),
            ("a@[::g]:1", BadHost),
            ("a@[1.2.3.4]:1", BadHost),
            ("a@256.0.0.1:1", BadHost),
            ("a@1.2.3:1", BadHost),
            ("a@-h:1", BadHost),
            ("a@h..i:1", BadHost),
            ("a@hö:1", BadHost),
            ("a\n@h:1", ControlCharacter),
            ("a b@h:1", ControlCharacter),
            ("\u{feff}a@h:1", ControlCharacter),
            ("a:b@h:1", BadName),
            ("[a]@h:1", BadName),
            ("a@h:1\0", ControlCharacter),
            ("a\u{7f}@h:1", ControlCharacter),
            (&long, TooLong),
        ];
        for (text, error) in cases {
            assert_eq!(NodeName::parse(text), Err(error), "{text:?}");
        }
        assert_eq!(NodeName::parse_bytes(b"a\xff@h:1"), Err(NotUtf8));
    }

    #[test]
    fn takes_255_bytes_and_not_one_more() {
        assert!(NodeName::parse(&format!("{}@h:1", "a".repeat(251))).is_ok());
        assert!(NodeName::parse(&format!("{}@h:1", "a".repeat(252))).is_err());
        let bytes = |length: usize| format!("{}@h:1", "a".repeat(length - 4)).into_bytes();
        assert!(NodeName::parse_bytes(&bytes(255)).is_ok());
        assert_eq!(NodeName::parse_bytes(&bytes(256)), Err(NodeNameError::TooLong));
    }

    #[test]
    fn takes_labels_of_63_bytes_and_not_one_more() {
        let name = |length: usize| NodeName::parse(&format!("a@{}.org:1", "h".repeat(length)));
        assert!(name(63).is_ok());
        assert_eq!(name(64), Err(NodeNameError::BadHost));
    }

    proptest! {
        #[test]
        fn never_panics_and_keeps_the_text(text in "\\PC{0,40}|[a-z]{1,4}@[a-z0-9.\\[\\]:]{0,12}:[0-9]{0,6}") {
            if let Ok(name) = NodeName::parse(&text) {
                prop_assert_eq!(name.as_str(), &text);
                prop_assert!(!name.host().is_empty());
            }
        }

        #[test]
        fn never_panics_on_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = NodeName::parse_bytes(&bytes);
        }
    }
}
