//! Node names and cookies: which are accepted, and which rule the others break.

use serde_json::{Map, Value, json};
use snowmesh_core::{NodeName, StrongCookie};

use crate::error_name;

pub(crate) fn vectors() -> Map<String, Value> {
    let (longest, too_long) = (
        format!("{}@h:1", "a".repeat(251)),
        format!("{}@h:1", "a".repeat(252)),
    );
    let texts = [
        "a@127.0.0.1:4370",
        "a@[::1]:4370",
        "a@[fe80::1:2]:0",
        "käse@my_host-1.example.org:65535",
        "a:b@h:1",
        "[a]@h:1",
        "\u{feff}a@h:1",
        "A@H:1",
        &longest,
        "",
        "a",
        "a:1",
        "@h:1",
        "a@",
        "a@h",
        "a@h:",
        "a@:1",
        "a@@h:1",
        "a@h@i:1",
        "a@h:65536",
        "a@h:-1",
        "a@h:+1",
        "a@h:01",
        "a@h:00",
        "a@h:1x",
        "a@::1:1",
        "a@[::1:1",
        "a@[::g]:1",
        "a@[1.2.3.4]:1",
        "a@256.0.0.1:1",
        "a@1.2.3:1",
        "a@-h:1",
        "a@h-:1",
        "a@h..i:1",
        "a@hö:1",
        "a\n@h:1",
        "a b@h:1",
        "a@h:1\0",
        "a\u{7f}@h:1",
        "a\u{a0}@h:1",
        &too_long,
    ];
    let nodes = texts.map(|text| match NodeName::parse(text) {
        Ok(name) => json!({ "text": text, "name": name.name(), "host": name.host(), "port": name.port() }),
        Err(error) => json!({ "text": text, "error": error_name(&error) }),
    });
    let cookies = [
        "",
        "abcdefghijklmno",
        "abcdefabcdefabcd",
        "abcdeabcdeabcdeabcde",
        "ééééééééé",
        "éabcdéabcdéabcd",
    ]
    .map(|cookie| match StrongCookie::parse(cookie) {
        Ok(_) => json!({ "cookie": cookie }),
        Err(error) => json!({ "cookie": cookie, "error": error_name(&error) }),
    });
    Map::from_iter([
        ("nodes".to_owned(), Value::from(nodes.to_vec())),
        ("cookies".to_owned(), Value::from(cookies.to_vec())),
    ])
}
