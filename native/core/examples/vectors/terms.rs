//! Terms. `accept` holds well-formed bytes with their value, `reject` bytes that every reader refuses.
//!
//! Values in JSON: null, true, false and strings are themselves; everything else is an object with one key:
//! `undefined`, `int` (decimal; a bigint when not a safe integer), `nested` (so many lists, the innermost
//! empty), `float` (its 8 bytes in hex), `bigint`
//! (hex with sign), `binary` (hex), `list`, `set`, `map` (pairs), `object` (pairs in order), `shaped` (shape id
//! and values), `date` (8 bytes in hex), `view` (kind, hex), `struct` (type, pairs), `pid` (nc, local), `ref`
//! (nc, local, id).

use serde_json::{Map, Value, json};
use snowmesh_core::term::{MAX_DEPTH, ShapeTable, Term, TermChecker, Untranslated, encode, tag};
use snowmesh_core::{Pid, Ref};

use crate::{error_name, hex};

/// Keys of the shapes that `accept` and `reject` refer to.
pub(crate) const SHAPES: [&[&str]; 3] = [&["id", "name"], &[], &["__proto__"]];

pub(crate) fn vectors() -> Map<String, Value> {
    let mut accept = Vec::new();
    for (name, term) in canonical() {
        accept.push(accepted(name, &encode(&term), &term, true));
    }
    for (name, bytes, term) in other_forms() {
        accept.push(accepted(name, &bytes, &term, false));
    }
    let reject = bad_terms().into_iter().map(|(name, bytes)| {
        let error = check(&bytes).expect_err(name);
        json!({ "name": name, "hex": hex(&bytes), "error": error_name(&error) })
    });
    Map::from_iter([
        ("shapes".to_owned(), json!(SHAPES)),
        ("accept".to_owned(), Value::from(accept)),
        ("reject".to_owned(), reject.collect()),
    ])
}

pub(crate) fn shape_table() -> ShapeTable {
    let mut shapes = ShapeTable::default();
    SHAPES.iter().for_each(|keys| shapes.push(keys.len() as u8));
    shapes
}

fn check(bytes: &[u8]) -> Result<(), snowmesh_core::term::TermError> {
    TermChecker::default().check(&mut bytes.to_vec(), &shape_table(), &Untranslated)
}

/// `canonical` says that a writer must produce exactly these bytes.
fn accepted(name: &str, bytes: &[u8], term: &Term, canonical: bool) -> Value {
    check(bytes).expect(name);
    json!({ "name": name, "hex": hex(bytes), "value": value(term), "canonical": canonical })
}

fn value(term: &Term) -> Value {
    match term {
        Term::List(_) if *term == nested(MAX_DEPTH) => json!({ "nested": MAX_DEPTH }),
        Term::BigInt {
            is_negative,
            magnitude,
        } => {
            let digits: String = magnitude.iter().rev().map(|byte| format!("{byte:02x}")).collect();
            let digits = if digits.is_empty() { "0" } else { &digits };
            json!({ "bigint": format!("{}0x{digits}", if *is_negative { "-" } else { "" }) })
        }
        Term::Binary(bytes) => json!({ "binary": hex(bytes) }),
        Term::Bool(value) => json!(value),
        Term::Date(milliseconds) => json!({ "date": hex(&milliseconds.to_le_bytes()) }),
        Term::Float(value) => json!({ "float": hex(&value.to_le_bytes()) }),
        Term::Int(value) => json!({ "int": value.to_string() }),
        Term::List(items) => json!({ "list": values(items) }),
        Term::Map(pairs) => {
            json!({ "map": pairs.iter().map(|(k, v)| json!([value(k), value(v)])).collect::<Vec<_>>() })
        }
        Term::Null => Value::Null,
        Term::Object(pairs) => json!({ "object": named(pairs) }),
        Term::Pid(pid) => json!({ "pid": { "nc": pid.nc(), "local": pid.local() } }),
        Term::Ref(Ref { owner, id }) => {
            json!({ "ref": { "nc": owner.nc(), "local": owner.local(), "id": id } })
        }
        Term::Set(items) => json!({ "set": values(items) }),
        Term::Shaped { shape, values: items } => {
            json!({ "shaped": { "shape": shape, "values": values(items) } })
        }
        Term::String(text) => json!(text),
        Term::Struct { type_name, fields } => {
            json!({ "struct": { "type": type_name, "fields": named(fields) } })
        }
        Term::Undefined => json!({ "undefined": true }),
        Term::View { kind, bytes } => json!({ "view": { "kind": kind, "hex": hex(bytes) } }),
        _ => unreachable!("every kind has a notation"),
    }
}

fn values(items: &[Term]) -> Vec<Value> {
    items.iter().map(value).collect()
}

fn named(pairs: &[(String, Term)]) -> Vec<Value> {
    pairs
        .iter()
        .map(|(key, item)| json!([key, value(item)]))
        .collect()
}

fn text(text: &str) -> Term {
    Term::String(text.to_owned())
}

fn object(pairs: &[(&str, Term)]) -> Vec<(String, Term)> {
    pairs
        .iter()
        .map(|(key, value)| ((*key).to_owned(), value.clone()))
        .collect()
}

fn nested(depth: usize) -> Term {
    (1..depth).fold(Term::List(vec![]), |inner, _| Term::List(vec![inner]))
}

fn canonical() -> Vec<(&'static str, Term)> {
    let big = |is_negative, magnitude: &[u8]| Term::BigInt {
        is_negative,
        magnitude: magnitude.to_vec(),
    };
    let mut all = vec![
        ("undefined", Term::Undefined),
        ("null", Term::Null),
        ("true", Term::Bool(true)),
        ("false", Term::Bool(false)),
        ("float -0", Term::Float(-0.0)),
        ("float 1.5", Term::Float(1.5)),
        ("float 2^31 does not fit i32", Term::Float(2_147_483_648.0)),
        ("float -2^31-1", Term::Float(-2_147_483_649.0)),
        (
            "float greatest safe integer",
            Term::Float(9_007_199_254_740_991.0),
        ),
        ("float infinity", Term::Float(f64::INFINITY)),
        ("float -infinity", Term::Float(f64::NEG_INFINITY)),
        ("float NaN", Term::Float(f64::from_bits(0x7FF8_0000_0000_0000))),
        ("float least", Term::Float(f64::from_bits(1))),
        ("string empty", text("")),
        ("string of 31 bytes", text(&"a".repeat(31))),
        ("string of 32 bytes", text(&"a".repeat(32))),
        ("string of 255 bytes", text(&"a".repeat(255))),
        ("string of 256 bytes", text(&"a".repeat(256))),
        ("string of 2, 3 and 4 byte characters", text("é€😀")),
        ("string with a zero", text("a\0b")),
        (
            "string of 31 bytes in 2 byte characters and one",
            text(&format!("{}a", "é".repeat(15))),
        ),
        ("bigint 0", big(false, &[])),
        ("bigint 5", big(false, &[5])),
        ("bigint -256", big(true, &[0, 1])),
        ("bigint 2^64", big(false, &[0, 0, 0, 0, 0, 0, 0, 0, 1])),
        ("bigint -(2^64+1)", big(true, &[1, 0, 0, 0, 0, 0, 0, 0, 1])),
        ("binary empty", Term::Binary(vec![])),
        ("binary", Term::Binary(vec![0, 1, 0xFF])),
        ("binary of 255 bytes", Term::Binary(vec![7; 255])),
        ("binary of 256 bytes", Term::Binary(vec![7; 256])),
        ("list empty", Term::List(vec![])),
        (
            "list",
            Term::List(vec![
                Term::Int(1),
                text("two"),
                Term::Null,
                Term::List(vec![Term::Bool(true)]),
            ]),
        ),
        ("list of 255", Term::List(vec![Term::Int(1); 255])),
        ("list of 256", Term::List(vec![Term::Int(1); 256])),
        ("map empty", Term::Map(vec![])),
        (
            "map",
            Term::Map(vec![
                (Term::Int(1), text("one")),
                (Term::List(vec![]), Term::Undefined),
            ]),
        ),
        ("set", Term::Set(vec![Term::Int(1), text("1")])),
        ("set empty", Term::Set(vec![])),
        ("date", Term::Date(1_700_000_000_123.0)),
        ("date invalid", Term::Date(f64::from_bits(0x7FF8_0000_0000_0000))),
        (
            "view ArrayBuffer",
            Term::View {
                kind: 0,
                bytes: vec![1, 2, 3],
            },
        ),
        (
            "view Float64Array",
            Term::View {
                kind: 8,
                bytes: 1.5_f64.to_le_bytes().to_vec(),
            },
        ),
        (
            "view Int16Array",
            Term::View {
                kind: 3,
                bytes: vec![1, 0, 0xFF, 0xFF],
            },
        ),
        (
            "view DataView empty",
            Term::View {
                kind: 11,
                bytes: vec![],
            },
        ),
        ("pid own", Term::Pid(Pid::new(0, 7))),
        ("pid foreign", Term::Pid(Pid::pack(3, 9, 5, 0x2_0000_0001))),
        (
            "ref",
            Term::Ref(Ref {
                owner: Pid::pack(0, 0, 1, 2),
                id: (1 << 53) - 1,
            }),
        ),
        ("depth 128", nested(MAX_DEPTH)),
    ];
    let ints = [
        0,
        1,
        63,
        64,
        127,
        128,
        32_767,
        32_768,
        65_536,
        i32::MAX,
        -1,
        -128,
        -129,
        -32_768,
        -32_769,
        i32::MIN,
    ];
    all.extend(ints.map(|int| ("int", Term::Int(i64::from(int)))));
    all
}

/// Legal bytes that a writer would choose differently, or only in some state.
fn other_forms() -> Vec<(&'static str, Vec<u8>, Term)> {
    let with = |parts: &[&[u8]]| [&[2], parts.concat().as_slice()].concat();
    let pairs = object(&[
        ("a", Term::Int(1)),
        ("", Term::Null),
        ("__proto__", Term::Int(2)),
        ("constructor", Term::Int(3)),
    ]);
    let error = Term::Struct {
        type_name: "TypeError".to_owned(),
        fields: object(&[
            ("message", text("no")),
            ("stack", text("at x")),
            ("code", text("ERR_X")),
            ("cause", Term::Null),
        ]),
    };
    let tagged = Term::Struct {
        type_name: "Point".to_owned(),
        fields: object(&[("x", Term::Int(1))]),
    };
    let shaped = Term::Shaped {
        shape: 0,
        values: vec![Term::Int(7), text("n")],
    };
    let wide: Vec<_> = (0..70).map(|n| (format!("key{n}"), Term::Int(n))).collect();
    let int = |value: i64| (with(&[&[tag::INT], &value.to_le_bytes()]), Term::Int(value));
    let mut all = vec![
        ("int8 for a small int", with(&[&[tag::INT8, 5]]), Term::Int(5)),
        (
            "int16 for a small int",
            with(&[&[tag::INT16, 5, 0]]),
            Term::Int(5),
        ),
        (
            "int32 for a small int",
            with(&[&[tag::INT32, 5, 0, 0, 0]]),
            Term::Int(5),
        ),
        (
            "float for a small int",
            with(&[&[tag::FLOAT], &5_f64.to_le_bytes()]),
            Term::Float(5.0),
        ),
        (
            "string for a short one",
            with(&[&[tag::STRING, 1, 0, 0, 0], b"a"]),
            text("a"),
        ),
        (
            "string8 for a short one",
            with(&[&[tag::STRING8, 1], b"a"]),
            text("a"),
        ),
        (
            "list for a short one",
            with(&[&[tag::LIST, 1, 0, 0, 0, tag::NULL]]),
            Term::List(vec![Term::Null]),
        ),
        (
            "binary for a short one",
            with(&[&[tag::BINARY, 1, 0, 0, 0, 9]]),
            Term::Binary(vec![9]),
        ),
        (
            "object",
            encode(&Term::Object(pairs.clone())),
            Term::Object(pairs),
        ),
        (
            "object empty",
            encode(&Term::Object(vec![])),
            Term::Object(vec![]),
        ),
        (
            "object of 70 keys",
            encode(&Term::Object(wide.clone())),
            Term::Object(wide),
        ),
        ("struct of a standard error", encode(&error), error),
        ("struct of another type", encode(&tagged), tagged),
        ("shaped", encode(&shaped), shaped),
        (
            "shaped without keys",
            with(&[&[tag::SHAPED, 1, 0]]),
            Term::Shaped {
                shape: 1,
                values: vec![],
            },
        ),
        (
            "shaped with the key __proto__",
            with(&[&[tag::SHAPED, 2, 0, tag::NULL]]),
            Term::Shaped {
                shape: 2,
                values: vec![Term::Null],
            },
        ),
        (
            "map with the same key twice keeps the last",
            with(&[&[tag::MAP, 2, 0, 0, 0, 0x41, 0x42, 0x41, 0x43]]),
            Term::Map(vec![(Term::Int(1), Term::Int(2)), (Term::Int(1), Term::Int(3))]),
        ),
    ];
    for value in [
        5,
        (1 << 53) - 1,
        1 << 53,
        i64::MIN,
        i64::MAX,
        -(1 << 53) + 1,
        -(1 << 53),
    ] {
        let (bytes, term) = int(value);
        all.push(("int of 64 bits: a number when safe, else a bigint", bytes, term));
    }
    all
}

fn bad_terms() -> Vec<(&'static str, Vec<u8>)> {
    let deep = |levels: usize, leaf: &[u8]| [&[2], [tag::LIST8, 1].repeat(levels).as_slice(), leaf].concat();
    let huge = u32::MAX.to_le_bytes();
    let with = |parts: &[&[u8]]| [&[2], parts.concat().as_slice()].concat();
    let name = |key: &[u8]| [&u16::try_from(key.len()).unwrap_or(0).to_le_bytes(), key].concat();
    let twins = [name(b"a"), vec![tag::NULL], name(b"a"), vec![tag::NULL]].concat();
    vec![
        ("nothing", vec![]),
        ("version alone", vec![2]),
        ("version 1", vec![1, tag::NULL]),
        ("version 3", vec![3, tag::NULL]),
        ("trailing byte", with(&[&[tag::NULL, 0]])),
        ("tag 0x00", with(&[&[0x00]])),
        ("tag 0x0d", with(&[&[0x0D]])),
        ("tag 0x15", with(&[&[0x15]])),
        ("tag 0x26", with(&[&[0x26]])),
        ("tag 0xa0", with(&[&[0xA0]])),
        ("tag 0xff", with(&[&[0xFF]])),
        ("int8 without its byte", with(&[&[tag::INT8]])),
        ("int of 7 bytes", with(&[&[tag::INT], &[0; 7]])),
        ("float of 7 bytes", with(&[&[tag::FLOAT], &[0; 7]])),
        ("short string cut", with(&[&[tag::SHORT_STRING + 2], b"a"])),
        (
            "string longer than the bytes",
            with(&[&[tag::STRING], &huge, b"a"]),
        ),
        ("string8 cut", with(&[&[tag::STRING8, 9], b"a"])),
        (
            "string with a lone surrogate",
            with(&[&[tag::SHORT_STRING + 3, 0xED, 0xA0, 0x80]]),
        ),
        (
            "string with an overlong zero",
            with(&[&[tag::SHORT_STRING + 2, 0xC0, 0x80]]),
        ),
        (
            "string cut inside a character",
            with(&[&[tag::SHORT_STRING + 1, 0xC3]]),
        ),
        (
            "string beyond U+10FFFF",
            with(&[&[tag::SHORT_STRING + 4, 0xF4, 0x90, 0x80, 0x80]]),
        ),
        ("string8 not UTF-8", with(&[&[tag::STRING8, 1, 0xFF]])),
        ("string not UTF-8", with(&[&[tag::STRING, 1, 0, 0, 0, 0xFF]])),
        ("binary longer than the bytes", with(&[&[tag::BINARY], &huge])),
        ("binary8 cut", with(&[&[tag::BINARY8, 2, 0]])),
        ("list of 2^32-1", with(&[&[tag::LIST], &huge, &[tag::NULL]])),
        ("list8 cut", with(&[&[tag::LIST8, 2, tag::NULL]])),
        ("set of 2^32-1", with(&[&[tag::SET], &huge])),
        (
            "map of 2^31",
            with(&[&[tag::MAP, 0, 0, 0, 0x80], &[tag::NULL; 8]]),
        ),
        ("map without a value", with(&[&[tag::MAP, 1, 0, 0, 0, tag::NULL]])),
        ("object of 2^32-1", with(&[&[tag::OBJECT], &huge, &twins])),
        (
            "object with the same key twice",
            with(&[&[tag::OBJECT, 2, 0, 0, 0], &twins]),
        ),
        (
            "object key not UTF-8",
            with(&[&[tag::OBJECT, 1, 0, 0, 0], &name(&[0xFF]), &[tag::NULL]]),
        ),
        ("object key cut", with(&[&[tag::OBJECT, 1, 0, 0, 0, 9, 0, 1]])),
        (
            "struct of 65535 fields",
            with(&[&[tag::STRUCT], &name(b"E"), &[0xFF, 0xFF, 0]]),
        ),
        (
            "struct type not UTF-8",
            with(&[&[tag::STRUCT], &name(&[0xFF]), &[0, 0]]),
        ),
        (
            "struct field not UTF-8",
            with(&[&[tag::STRUCT], &name(b"E"), &[1, 0], &name(&[0xFF]), &[tag::NULL]]),
        ),
        ("shape not announced", with(&[&[tag::SHAPED, 3, 0]])),
        ("shaped cut", with(&[&[tag::SHAPED, 0, 0, tag::NULL]])),
        ("bigint with sign 2", with(&[&[tag::BIGINT, 2, 1, 0, 0, 0, 1]])),
        ("bigint minus zero", with(&[&[tag::BIGINT, 1, 0, 0, 0, 0]])),
        (
            "bigint with a trailing zero",
            with(&[&[tag::BIGINT, 0, 2, 0, 0, 0, 1, 0]]),
        ),
        ("bigint longer than the bytes", with(&[&[tag::BIGINT, 0], &huge])),
        ("view of kind 12", with(&[&[tag::VIEW, 12, 0, 0, 0, 0]])),
        (
            "view Int16Array of 3 bytes",
            with(&[&[tag::VIEW, 3, 3, 0, 0, 0, 1, 2, 3]]),
        ),
        (
            "view Float64Array of 4 bytes",
            with(&[&[tag::VIEW, 8, 4, 0, 0, 0, 1, 2, 3, 4]]),
        ),
        ("view longer than the bytes", with(&[&[tag::VIEW, 0], &huge])),
        ("pid cut", with(&[&[tag::PID], &[0; 7]])),
        ("ref cut", with(&[&[tag::REF], &[0; 15]])),
        ("depth 129", deep(128, &[tag::LIST8, 0])),
        (
            "depth 129 by an empty object of a shape",
            deep(128, &[tag::SHAPED, 1, 0]),
        ),
        ("depth 129 by an empty map", deep(128, &[tag::MAP, 0, 0, 0, 0])),
        ("depth 129 by an error", deep(128, &[tag::STRUCT, 0, 0, 0, 0])),
    ]
}
