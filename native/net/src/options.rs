//! The options of a node and their ranges.

use std::time::Duration;

use crate::error::OpenError;

/// Which thread reads the sockets.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Reader {
    /// The event loop of lane 0; the I/O thread while the loop is stalled.
    #[default]
    Loop,
    /// Always the I/O thread.
    Thread,
}

/// The secret that the nodes of a cluster share. `Debug` does not show it.
#[derive(Clone, Default)]
pub struct Cookie(String);

impl Cookie {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl<T: Into<String>> From<T> for Cookie {
    fn from(text: T) -> Self {
        Self(text.into())
    }
}

impl std::fmt::Debug for Cookie {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Cookie(..)")
    }
}

/// Settings of one node. Times in milliseconds, sizes in bytes.
#[derive(Clone, Debug)]
#[expect(
    missing_docs,
    reason = "the binding documents each field; the names are the same"
)]
pub struct NodeOptions {
    pub name: String,
    pub listen_host: String,
    pub listen_port: u16,
    pub cookie: Cookie,
    /// 0: choose at random.
    pub incarnation: u64,
    pub hidden: bool,
    pub tick_ms: u32,
    pub down_ms: u32,
    pub handshake_ms: u32,
    pub max_handshakes: u32,
    pub max_message: u32,
    pub inbox_bytes: u32,
    pub outbox_bytes: u32,
    pub reader: Reader,
    pub spin_us: u32,
}

impl Default for NodeOptions {
    fn default() -> Self {
        Self {
            name: String::new(),
            listen_host: "127.0.0.1".to_owned(),
            listen_port: 0,
            cookie: Cookie::default(),
            incarnation: 0,
            hidden: false,
            tick_ms: 5_000,
            down_ms: 20_000,
            handshake_ms: 7_000,
            max_handshakes: 1_024,
            max_message: 128 << 20,
            inbox_bytes: 16 << 20,
            outbox_bytes: 64 << 20,
            reader: Reader::Loop,
            spin_us: 50,
        }
    }
}

impl NodeOptions {
    pub(crate) fn check(&self) -> Result<(), OpenError> {
        let in_range = [
            (
                "tickMs must be 10 to 3 600 000",
                (10..=3_600_000).contains(&self.tick_ms),
            ),
            (
                "downMs must be 1 to 24 h and more than tickMs",
                self.down_ms > self.tick_ms && self.down_ms <= 86_400_000,
            ),
            (
                "handshakeMs must be 10 to 600 000",
                (10..=600_000).contains(&self.handshake_ms),
            ),
            (
                "maxHandshakes must be 1 to 65 536",
                (1..=65_536).contains(&self.max_handshakes),
            ),
            (
                "maxMessage must be 64 KiB to 2 GiB",
                (65_536..=0x8000_0000).contains(&self.max_message),
            ),
            ("inboxBytes must be at least 64 KiB", self.inbox_bytes >= 65_536),
            ("outboxBytes must be at least 64 KiB", self.outbox_bytes >= 65_536),
            ("spinUs must be at most 10 000", self.spin_us <= 10_000),
        ];
        match in_range.into_iter().find(|(_, holds)| !holds) {
            Some((text, _)) => Err(OpenError::BadOption(text)),
            None => Ok(()),
        }
    }

    pub(crate) fn tick(&self) -> Duration {
        Duration::from_millis(self.tick_ms.into())
    }

    pub(crate) fn down(&self) -> Duration {
        Duration::from_millis(self.down_ms.into())
    }

    pub(crate) fn handshake(&self) -> Duration {
        Duration::from_millis(self.handshake_ms.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_option_has_its_range() {
        type Set = fn(&mut NodeOptions, u32);
        let most = u32::MAX;
        let ranges: [(Set, u32, u32); 8] = [
            (
                |o, tick| (o.tick_ms, o.down_ms) = (tick, 86_400_000),
                10,
                3_600_000,
            ),
            (|o, down| o.down_ms = down, 5_001, 86_400_000),
            (|o, time| o.handshake_ms = time, 10, 600_000),
            (|o, count| o.max_handshakes = count, 1, 65_536),
            (|o, bytes| o.max_message = bytes, 65_536, 1 << 31),
            (|o, bytes| o.inbox_bytes = bytes, 65_536, most),
            (|o, bytes| o.outbox_bytes = bytes, 65_536, most),
            (|o, time| o.spin_us = time, 0, 10_000),
        ];
        for (index, (set, least, most)) in ranges.into_iter().enumerate() {
            let is_legal = |value: u32| {
                let mut options = NodeOptions::default();
                set(&mut options, value);
                options.check().is_ok()
            };
            assert!(is_legal(least) && is_legal(most), "option {index}");
            let outside = [least.checked_sub(1), most.checked_add(1)];
            assert!(!outside.into_iter().flatten().any(is_legal), "option {index}");
        }
    }

    #[test]
    fn printed_options_do_not_show_the_cookie() {
        let options = NodeOptions {
            cookie: "a cookie for tests, 32 letters..".into(),
            ..NodeOptions::default()
        };
        assert!(format!("{options:?}").contains("cookie: Cookie(..)"));
    }
}
