use super::{Channel, TlsConfig};

/// Two channels after their TLS handshake.
fn pair(config: &TlsConfig) -> (Channel, Channel) {
    let (mut client, mut server) = (Channel::dial(config).unwrap(), Channel::accept(config).unwrap());
    while client.is_handshaking() || server.is_handshaking() {
        let sent = sent_by(&mut client);
        assert_eq!(received(&mut server, &sent), []);
        let sent = sent_by(&mut server);
        assert_eq!(received(&mut client, &sent), []);
    }
    (client, server)
}

fn sent_by(channel: &mut Channel) -> Vec<u8> {
    let mut sent = Vec::new();
    channel.send(&mut sent).unwrap();
    sent
}

/// The plain bytes that `channel` gets from `sealed`.
fn received(channel: &mut Channel, mut sealed: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    while !sealed.is_empty() {
        let received = channel
            .receive(&mut sealed, |bytes| plain.extend_from_slice(bytes))
            .unwrap();
        received.opened.unwrap();
    }
    plain
}

fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at % 251) as u8).collect()
}

#[test]
fn records_cut_anywhere_are_opened_in_order_by_each_channel_of_a_thread() {
    let config = TlsConfig::generate().unwrap();
    let plain = pattern(100_000);
    for step in [1, 4, 5, 4_095, 4_097, 16_406, 18_437, 18_438, 90_000] {
        let mut pairs = [pair(&config), pair(&config)];
        let sealed: Vec<Vec<u8>> = pairs
            .iter_mut()
            .map(|(client, _)| {
                for piece in [0..7, 7..8, 8..70_000, 70_000..100_000] {
                    client.seal(plain.get(piece).unwrap()).unwrap();
                }
                sent_by(client)
            })
            .collect();
        let mut opened = [Vec::new(), Vec::new()];
        for at in (0..sealed[0].len()).step_by(step) {
            for (index, (_, server)) in pairs.iter_mut().enumerate() {
                let all = &sealed[index];
                opened[index].extend(received(server, &all[at..all.len().min(at + step)]));
            }
        }
        assert!(opened.iter().all(|bytes| *bytes == plain), "step {step}");
    }
}

#[test]
fn what_follows_close_notify_is_ignored() {
    let config = TlsConfig::generate().unwrap();
    let (mut client, mut server) = pair(&config);
    client.seal(b"last").unwrap();
    client.finish();
    let mut sealed = sent_by(&mut client);
    sealed.extend([0; 50_000]);
    assert_eq!(received(&mut server, &sealed), b"last");
    assert!(server.peer_closed());
}

#[test]
fn bytes_that_are_no_record_are_an_error_behind_the_bytes_before_them() {
    let config = TlsConfig::generate().unwrap();
    for noise in [
        &b"GET / HTTP/1.1\r\n\r\n"[..],
        &[23, 3, 3, 0xFF, 0xFF, 0, 0],
        &[0; 40_000],
    ] {
        let (mut client, mut server) = pair(&config);
        client.seal(&pattern(40_000)).unwrap();
        let mut sealed = sent_by(&mut client);
        sealed.extend(noise);
        let mut plain = Vec::new();
        let received = server
            .receive(&mut &sealed[..], |bytes| plain.extend_from_slice(bytes))
            .unwrap();
        assert_eq!(received.bytes, sealed.len());
        assert!(received.opened.is_err());
        assert_eq!(plain, pattern(40_000));
    }
}

/// Takes so many bytes, then blocks.
struct Takes(usize);

impl std::io::Write for Takes {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let taken = bytes.len().min(self.0);
        self.0 -= taken;
        match taken {
            0 => Err(std::io::ErrorKind::WouldBlock.into()),
            taken => Ok(taken),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn what_waits_for_the_socket_is_counted_to_the_byte() {
    let config = TlsConfig::generate().unwrap();
    let (mut client, _) = pair(&config);
    for (head, body) in [
        (0, 1),
        (13, 0),
        (13, 16_371),
        (13, 16_372),
        (13, 65_523),
        (13, 200_000),
    ] {
        let plain = pattern(head + body);
        let (first, rest) = plain.split_at(head);
        client.seal_parts(first, rest).unwrap();
        let joined = client.pending();
        client.seal(&plain).unwrap();
        assert!(client.has_output() && joined > plain.len());
        assert_eq!(client.pending(), 2 * joined, "in one part and in two");
        assert!(!client.send(Takes(9)).unwrap());
        assert_eq!(client.pending(), 2 * joined - 9);
        let before = client.pending();
        let sent = sent_by(&mut client);
        assert_eq!(
            (sent.len(), client.pending(), client.has_output()),
            (before, 0, false)
        );
    }
    client.finish();
    assert!(client.pending() > 0 && client.has_output());
    client.drop_output();
    assert_eq!((client.pending(), client.has_output()), (0, false));
}
