//! Generators and builders that several test files use.

use proptest::prelude::*;
use snowmesh_core::frame::{
    Checked, FrameError, Number, PeerMisbehaved, SessionTables, check_body, put_slot, tag,
};
use snowmesh_core::term::Term;
use snowmesh_core::{Pid, Ref};

/// Our number of the sender in [`tables`].
pub(crate) const SENDER: u32 = 0x0500;
/// The sender's numbers of us, of an earlier start of us, and of a third node; ours of each.
pub(crate) const PAIRS: [(u32, u64, &str, u32); 3] = [
    (0x0100, 77, "us@h:1", 0),
    (0x0101, 76, "us@h:1", 0x0700),
    (0x0203, 5, "third@h:1", 0x0601),
];
/// Keys of the shapes announced in [`tables`].
pub(crate) const SHAPE_KEYS: [usize; 3] = [2, 0, 3];

/// The node-wide numbering that the tests use.
pub(crate) fn numbers() -> impl Number {
    |name: &str, incarnation: u64| {
        PAIRS
            .iter()
            .find(|pair| (pair.2, pair.1) == (name, incarnation))
            .map(|pair| pair.3)
    }
}

/// Tables of a session in which everything above was announced.
pub(crate) fn tables() -> SessionTables {
    let mut tables = SessionTables::new(SENDER);
    for (theirs, incarnation, name, _) in PAIRS {
        let mut frame = Vec::new();
        put_slot(&mut frame, theirs, incarnation, name);
        let _ = check_body(tag::SLOT, &mut frame[5..], &mut tables, &mut numbers()).unwrap();
    }
    for (id, keys) in (0_u16..).zip(SHAPE_KEYS) {
        let mut body = [id.to_le_bytes(), u16::try_from(keys).unwrap().to_le_bytes()].concat();
        (0..keys).for_each(|key| body.extend_from_slice(&[1, 0, b'a' + u8::try_from(key).unwrap()]));
        let _ = check_body(tag::SHAPE, &mut body, &mut tables, &mut numbers()).unwrap();
    }
    tables
}

/// The verdict on one frame in that session.
pub(crate) fn receive(tag: u8, body: &mut [u8]) -> Result<Checked, FrameError> {
    check_body(tag, body, &mut tables(), &mut numbers())
}

/// The translation with which the checker's rewriting is compared.
pub(crate) fn translate(nc: u32) -> Option<u32> {
    if nc == 0 {
        Some(SENDER)
    } else {
        PAIRS.iter().find(|pair| pair.0 == nc).map(|pair| pair.3)
    }
}

/// A PID in the sender's numbering.
pub(crate) fn known_pid() -> impl Strategy<Value = Pid> {
    let nc = prop_oneof![Just(0), Just(PAIRS[0].0), Just(PAIRS[1].0), Just(PAIRS[2].0)];
    (nc, any::<u64>()).prop_map(|(nc, local)| Pid::new(nc, local))
}

/// Any term that may stand in a frame of the session of [`tables`].
pub(crate) fn term() -> impl Strategy<Value = Term> {
    leaf().prop_recursive(5, 60, 8, |inner| {
        let items = prop::collection::vec(inner.clone(), 0..8);
        let named = prop::collection::btree_map(".{0,6}", inner.clone(), 0..12)
            .prop_map(|pairs| pairs.into_iter().collect::<Vec<_>>())
            .prop_shuffle();
        let shaped = (0..SHAPE_KEYS.len()).prop_flat_map({
            let inner = inner.clone();
            move |shape| {
                let values = prop::collection::vec(inner.clone(), SHAPE_KEYS[shape]);
                values.prop_map(move |values| Term::Shaped {
                    shape: u16::try_from(shape).unwrap(),
                    values,
                })
            }
        });
        prop_oneof![
            items.clone().prop_map(Term::List),
            items.prop_map(Term::Set),
            prop::collection::vec((inner.clone(), inner), 0..6).prop_map(Term::Map),
            named.clone().prop_map(Term::Object),
            (".{0,6}", named).prop_map(|(type_name, fields)| Term::Struct { type_name, fields }),
            shaped,
        ]
    })
}

fn leaf() -> impl Strategy<Value = Term> {
    let bytes = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..40),
        prop::collection::vec(any::<u8>(), 250..260),
    ];
    let big = (any::<bool>(), prop::collection::vec(any::<u8>(), 0..20)).prop_map(|(sign, mut magnitude)| {
        while magnitude.last() == Some(&0) {
            magnitude.pop();
        }
        Term::BigInt {
            is_negative: sign && !magnitude.is_empty(),
            magnitude,
        }
    });
    let view =
        (0_u8..12, prop::collection::vec(any::<[u8; 8]>(), 0..4)).prop_map(|(kind, elements)| Term::View {
            kind,
            bytes: elements.concat(),
        });
    prop_oneof![
        Just(Term::Undefined),
        Just(Term::Null),
        any::<bool>().prop_map(Term::Bool),
        any::<i64>().prop_map(Term::Int),
        (-200_i64..70_000).prop_map(Term::Int),
        any::<f64>().prop_map(Term::Float),
        any::<f64>().prop_map(Term::Date),
        ".{0,40}".prop_map(Term::String),
        "[a-z]{250,260}".prop_map(Term::String),
        bytes.prop_map(Term::Binary),
        big,
        view,
        known_pid().prop_map(Term::Pid),
        (known_pid(), any::<u64>()).prop_map(|(owner, id)| Term::Ref(Ref { owner, id })),
    ]
}

/// The same term with every PID and reference in the receiver's numbering, made from the tree.
pub(crate) fn translated(term: &Term) -> Term {
    let pid = |pid: &Pid| pid.with_nc(translate(pid.nc()).unwrap());
    let all = |items: &[Term]| items.iter().map(translated).collect();
    let named = |pairs: &[(String, Term)]| pairs.iter().map(|(k, v)| (k.clone(), translated(v))).collect();
    match term {
        Term::Pid(address) => Term::Pid(pid(address)),
        Term::Ref(Ref { owner, id }) => Term::Ref(Ref {
            owner: pid(owner),
            id: *id,
        }),
        Term::List(items) => Term::List(all(items)),
        Term::Set(items) => Term::Set(all(items)),
        Term::Map(pairs) => Term::Map(
            pairs
                .iter()
                .map(|(k, v)| (translated(k), translated(v)))
                .collect(),
        ),
        Term::Object(pairs) => Term::Object(named(pairs)),
        Term::Struct { type_name, fields } => Term::Struct {
            type_name: type_name.clone(),
            fields: named(fields),
        },
        Term::Shaped { shape, values } => Term::Shaped {
            shape: *shape,
            values: all(values),
        },
        other => other.clone(),
    }
}

/// `u32 length | tag | body`.
pub(crate) fn whole(tag: u8, body: &[u8]) -> Vec<u8> {
    [
        &u32::try_from(body.len() + 1).unwrap().to_le_bytes()[..],
        &[tag],
        body,
    ]
    .concat()
}

/// `u16 length` and the text.
pub(crate) fn name(text: &str) -> Vec<u8> {
    [&u16::try_from(text.len()).unwrap().to_le_bytes(), text.as_bytes()].concat()
}

/// The peer's fault in a verdict.
pub(crate) fn fault<T: std::fmt::Debug>(verdict: Result<T, FrameError>) -> PeerMisbehaved {
    match verdict {
        Err(FrameError::Peer(fault)) => fault,
        other => panic!("expected a fault of the peer, got {other:?}"),
    }
}

/// Small deterministic numbers for tests that need variety without a strategy.
pub(crate) fn noise(seed: u64) -> impl FnMut() -> u8 {
    let mut state = seed | 1;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    }
}
