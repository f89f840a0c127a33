//! Properties of terms: round trips, exact rewriting, and no panic for arbitrary bytes (T2, T4).

use proptest::prelude::*;
use snowmesh_core::Pid;
use snowmesh_core::term::{
    MAX_BIGINT_BYTES, MAX_ENTRIES, MAX_STRING_BYTES, MAX_TERM_MEMORY, ShapeTable, Term, TermChecker,
    TermError, Untranslated, decode, encode, tag, validate,
};

use crate::support::{SHAPE_KEYS, term, translate, translated};

fn shapes() -> ShapeTable {
    let mut shapes = ShapeTable::default();
    SHAPE_KEYS
        .iter()
        .for_each(|&keys| shapes.push(u8::try_from(keys).unwrap()));
    shapes
}

fn check(bytes: &mut [u8]) -> Result<(), TermError> {
    TermChecker::default().check(bytes, &shapes(), &translate)
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(term in term()) {
        let bytes = encode(&term);
        let back = decode(&bytes, &shapes()).unwrap();
        // Bytes are compared, not trees: NaN equals itself there.
        prop_assert_eq!(encode(&back), bytes);
    }

    #[test]
    fn m5_every_pid_and_ref_is_rewritten_and_nothing_else(term in term()) {
        let mut bytes = encode(&term);
        check(&mut bytes).unwrap();
        prop_assert_eq!(bytes, encode(&translated(&term)));
    }

    #[test]
    fn t2_a_cut_or_lengthened_term_is_refused(term in term(), cut in any::<prop::sample::Index>()) {
        let bytes = encode(&term);
        let mut short = bytes[..cut.index(bytes.len())].to_vec();
        prop_assert!(check(&mut short).is_err());
        let mut long = bytes;
        long.push(tag::NULL);
        prop_assert_eq!(check(&mut long), Err(TermError::TrailingBytes));
    }

    #[test]
    fn t4_arbitrary_bytes_do_no_harm(mut bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = check(&mut bytes);
        bytes.insert(0, 2);
        if check(&mut bytes.clone()).is_ok() {
            prop_assert!(decode(&bytes, &shapes()).is_ok());
        }
    }

    #[test]
    fn t4_a_changed_byte_does_no_harm(
        term in term(),
        place in any::<prop::sample::Index>(),
        change in 1_u8..,
    ) {
        let mut bytes = encode(&term);
        let place = place.index(bytes.len());
        bytes[place] ^= change;
        if TermChecker::default().check(&mut bytes.clone(), &shapes(), &Untranslated).is_ok() {
            let back = decode(&bytes, &shapes()).unwrap();
            let again = decode(&encode(&back), &shapes()).unwrap();
            prop_assert_eq!(encode(&again), encode(&back));
        }
    }

    #[test]
    fn an_object_with_a_repeated_key_is_refused_wherever_the_twin_is(
        count in 2_usize..60,
        twin in any::<prop::sample::Index>(),
        original in any::<prop::sample::Index>(),
    ) {
        let mut pairs: Vec<_> =
            (0..count).map(|n| (format!("a long enough key {n} with an end"), Term::Null)).collect();
        prop_assert_eq!(validate(&encode(&Term::Object(pairs.clone()))), Ok(()));
        let (twin, original) = (twin.index(count), original.index(count));
        if twin != original {
            pairs[twin].0 = pairs[original].0.clone();
            prop_assert_eq!(validate(&encode(&Term::Object(pairs))), Err(TermError::DuplicateKey));
        }
    }
}

#[test]
fn t4_a_million_levels_are_refused_at_the_129th() {
    for level in [
        vec![tag::LIST8, 1],
        vec![tag::LIST, 1, 0, 0, 0],
        vec![tag::MAP, 1, 0, 0, 0],
        vec![tag::SET, 1, 0, 0, 0],
    ] {
        let mut bytes = [&[2], level.repeat(1_000_000).as_slice(), &[tag::NULL, tag::NULL]].concat();
        assert_eq!(check(&mut bytes), Err(TermError::TooDeep));
    }
    let object = [tag::OBJECT, 1, 0, 0, 0, 0, 0];
    assert_eq!(
        check(&mut [&[2], object.repeat(1_000_000).as_slice()].concat()),
        Err(TermError::TooDeep)
    );
}

#[test]
fn t4_counts_beyond_the_bytes_are_refused_before_anything_is_kept() {
    for tag in [tag::LIST, tag::SET, tag::MAP, tag::OBJECT] {
        for count in [2_u32, 1 << 16, 1 << 31, u32::MAX] {
            let mut bytes = [&[2, tag][..], &count.to_le_bytes(), &[tag::NULL]].concat();
            assert_eq!(
                check(&mut bytes),
                Err(TermError::CountTooLarge),
                "{tag:#x} {count}"
            );
        }
    }
}

#[test]
fn t4_a_list_of_a_million_empty_lists_is_legal() {
    let mut bytes = [
        &[2, tag::LIST][..],
        &1_000_000_u32.to_le_bytes(),
        &[tag::LIST8, 0].repeat(1_000_000),
    ]
    .concat();
    assert_eq!(check(&mut bytes), Ok(()));
}

#[test]
fn keys_chosen_to_look_alike_cost_no_quadratic_time() {
    // Same ends and same length, so the fingerprints are equal; only the middles differ.
    let pairs: Vec<_> = (0..200_000)
        .map(|n| (format!("same head{n:08}same tail"), Term::Null))
        .collect();
    assert_eq!(validate(&encode(&Term::Object(pairs))), Ok(()));
}

#[test]
fn a_key_may_come_again_in_another_object() {
    let inner = |value| Term::Object(vec![("a".to_owned(), value), ("b".to_owned(), Term::Null)]);
    let outer = inner(inner(Term::List(vec![inner(Term::Null), inner(Term::Null)])));
    assert_eq!(validate(&encode(&outer)), Ok(()));
}

#[test]
fn a_checker_is_clean_after_an_error() {
    let mut checker = TermChecker::default();
    let twin = Term::Object(vec![(
        "a".to_owned(),
        Term::Object(vec![("a".to_owned(), Term::Null)]),
    )]);
    let good = encode(&twin);
    for end in 0..good.len() {
        assert!(
            checker
                .check(&mut good[..end].to_vec(), &shapes(), &Untranslated)
                .is_err()
        );
        assert_eq!(checker.check(&mut good.clone(), &shapes(), &Untranslated), Ok(()));
    }
}

#[test]
fn a_pid_of_an_unknown_pair_is_refused() {
    let mut bytes = encode(&Term::List(vec![Term::Pid(Pid::new(0x0999, 1))]));
    assert_eq!(check(&mut bytes), Err(TermError::UnannouncedPid));
}

/// A container of `count` times the same bytes.
fn repeated(tag: u8, count: usize, entry: &[u8]) -> Vec<u8> {
    let count_bytes = u32::try_from(count).unwrap().to_le_bytes();
    [&[2, tag][..], &count_bytes, &entry.repeat(count)].concat()
}

#[test]
fn t4_no_container_is_larger_than_v8_can_hold() {
    for (tag, entry) in [(tag::LIST, 1), (tag::SET, 1), (tag::MAP, 2)] {
        let entry = vec![tag::NULL; entry];
        assert_eq!(check(&mut repeated(tag, MAX_ENTRIES, &entry)), Ok(()));
        assert_eq!(
            check(&mut repeated(tag, MAX_ENTRIES + 1, &entry)),
            Err(TermError::TooManyEntries)
        );
    }
    let mut object = [&[2, tag::OBJECT][..], &(MAX_ENTRIES as u32 + 1).to_le_bytes()].concat();
    object.resize(object.len() + 3 * (MAX_ENTRIES + 1), 0);
    assert_eq!(check(&mut object), Err(TermError::TooManyEntries));
}

#[test]
fn t4_the_memory_of_a_term_is_bounded_to_the_byte() {
    // What each value takes in JavaScript, without its slot in the list around it.
    let kinds: [(u64, &[u8]); 20] = [
        (24, &[tag::SHORT_STRING]),
        (24, &[tag::STRING8, 1, b'a']),
        (24, &[tag::STRING, 1, 0, 0, 0, b'a']),
        (24, &[tag::INT, 0, 0, 0, 0, 0, 0, 0, 1]),
        (24, &[tag::FLOAT, 0, 0, 0, 0, 0, 0, 0, 1]),
        (24 + 8, &[tag::BIGINT, 0, 8, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1]),
        (96, &[tag::DATE, 0, 0, 0, 0, 0, 0, 0, 0]),
        (48, &[tag::PID, 0, 0, 0, 0, 0, 0, 0, 0]),
        (48, &[tag::REF, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
        (208, &[tag::BINARY8, 1, 7]),
        (208, &[tag::BINARY, 1, 0, 0, 0, 7]),
        (208, &[tag::VIEW, 0, 1, 0, 0, 0, 7]),
        (32 + 8, &[tag::LIST8, 1, tag::NULL]),
        (32 + 8, &[tag::LIST, 1, 0, 0, 0, tag::NULL]),
        (32 + 2 * 8, &[tag::SHAPED, 0, 0, tag::NULL, tag::TRUE]),
        (152 + 32, &[tag::SET, 1, 0, 0, 0, tag::NULL]),
        (184 + 48, &[tag::MAP, 1, 0, 0, 0, tag::NULL, tag::TRUE]),
        (56 + 64, &[tag::OBJECT, 1, 0, 0, 0, 0, 0, tag::FALSE]),
        (128 + 64, &[tag::STRUCT, 0, 0, 1, 0, 0, 0, tag::UNDEFINED]),
        (0, &[tag::INT32, 0, 0, 0, 0]),
    ];
    // Binaries take the most for their bytes. The rest is filled with NULL, which takes its slot only.
    let (slot, list, binary) = (8, 32, 208);
    let mut entries = vec![];
    let mut memory = 0;
    for (place, (bytes, value)) in (1..).zip(kinds) {
        entries.extend((0..place).map(|_| value.to_vec()));
        memory += place * (bytes + slot);
    }
    memory += list + 2 * (slot + list);
    let binaries = (MAX_TERM_MEMORY - memory) / (slot + binary);
    let nulls = (MAX_TERM_MEMORY - memory - binaries * (slot + binary)) / slot;
    let of = |nulls| {
        let mut all = entries.clone();
        all.push(repeated(tag::LIST, binaries as usize, &[tag::BINARY8, 0]).split_off(1));
        all.push(repeated(tag::LIST, nulls as usize, &[tag::NULL]).split_off(1));
        let mut bytes = [
            &[2, tag::LIST8][..],
            &[u8::try_from(all.len()).unwrap()],
            &all.concat(),
        ]
        .concat();
        check(&mut bytes)
    };
    assert_eq!(of(nulls), Ok(()));
    assert_eq!(of(nulls + 1), Err(TermError::TooMuchMemory));
}

#[test]
fn t4_every_container_adds_one_level_wherever_its_value_is() {
    let many = |tag: u8, before: usize, after: usize| {
        let count = u32::try_from((before + after + 1) / if tag == tag::MAP { 2 } else { 1 }).unwrap();
        let head = [&[tag][..], &count.to_le_bytes(), &vec![tag::NULL; before]].concat();
        (head, vec![tag::NULL; after])
    };
    for (head, tail) in [
        (vec![tag::LIST8, 1], vec![]),
        many(tag::LIST, 0, 0),
        (vec![tag::SHAPED, 0, 0], vec![tag::NULL]),
        (vec![tag::OBJECT, 1, 0, 0, 0, 0, 0], vec![]),
        (vec![tag::STRUCT, 0, 0, 1, 0, 0, 0], vec![]),
        many(tag::SET, 0, 0),
        many(tag::MAP, 0, 1),
        many(tag::MAP, 1, 0),
        many(tag::SET, 99, 0),
        many(tag::MAP, 98, 101),
        many(tag::MAP, 99, 100),
    ] {
        let nested = |levels| [&[2][..], &head.repeat(levels), &[tag::NULL], &tail.repeat(levels)].concat();
        assert_eq!(check(&mut nested(128)), Ok(()), "{head:?}");
        assert_eq!(check(&mut nested(129)), Err(TermError::TooDeep), "{head:?}");
    }
}

#[test]
fn t4_a_big_integer_above_the_limit_is_refused() {
    let length = |bytes: usize| u32::try_from(bytes).unwrap().to_le_bytes();
    for (bytes, verdict) in [
        (MAX_BIGINT_BYTES, Ok(())),
        (MAX_BIGINT_BYTES + 1, Err(TermError::BigIntTooLarge)),
    ] {
        let mut big = [&[2, tag::BIGINT, 0][..], &length(bytes), &vec![1; bytes]].concat();
        assert_eq!(check(&mut big), verdict);
    }
}

#[test]
fn t4_a_text_longer_than_v8_holds_is_refused() {
    let text = |bytes: usize| {
        [
            &[2, tag::STRING][..],
            &u32::try_from(bytes).unwrap().to_le_bytes(),
            &vec![b'a'; bytes],
        ]
        .concat()
    };
    assert_eq!(check(&mut text(MAX_STRING_BYTES)), Ok(()));
    assert_eq!(
        check(&mut text(MAX_STRING_BYTES + 1)),
        Err(TermError::StringTooLong)
    );
}

#[test]
fn t4_number_keys_chosen_to_collide_in_v8_are_refused() {
    // V8's hash of these ends in 14 zeros; a table of 32 768 entries has 16 384 buckets.
    let hash = |key: u32| {
        let mut hash = (!key).wrapping_add(key << 15);
        hash ^= hash >> 12;
        hash = hash.wrapping_add(hash << 2);
        hash ^= hash >> 4;
        hash = hash.wrapping_mul(2057);
        hash ^ (hash >> 16)
    };
    let collide = (0_u32..).filter(|&key| hash(key).is_multiple_of(1 << 14));
    let term = |tag: u8, keys: &[u32]| {
        let mut bytes = [&[2, tag][..], &u32::try_from(keys.len()).unwrap().to_le_bytes()].concat();
        for key in keys {
            bytes.push(tag::INT32);
            bytes.extend_from_slice(&key.to_le_bytes());
            bytes.extend_from_slice(if tag == tag::MAP { &[tag::NULL] } else { &[] });
        }
        bytes
    };
    let chosen: Vec<u32> = collide.take(4_096).collect();
    let honest: Vec<u32> = (0..100_000).map(|key| key * 4_096).collect();
    for tag in [tag::MAP, tag::SET] {
        assert_eq!(check(&mut term(tag, &chosen)), Err(TermError::CollidingKeys));
        assert_eq!(check(&mut term(tag, &chosen[..1_000])), Ok(()));
        assert_eq!(check(&mut term(tag, &honest)), Ok(()));
        // Many maps of one term share the allowance.
        let many = (0..20).map(|_| term(tag, &chosen[..1_000]).split_off(1));
        let list = [vec![2, tag::LIST8, 20], many.flatten().collect()].concat();
        assert_eq!(check(&mut list.clone()), Err(TermError::CollidingKeys));
    }
}

#[test]
fn t4_big_integers_chosen_to_collide_are_refused() {
    // V8 hashes the lowest 64 bits of a big integer only.
    let mut bytes = [&[2, tag::SET][..], &4_096_u32.to_le_bytes()].concat();
    for high in 1..=4_096_u16 {
        let [low, top] = (high << 1 | 0x2000).to_le_bytes();
        bytes.extend_from_slice(&[tag::BIGINT, 0, 10, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, low, top]);
    }
    assert_eq!(check(&mut bytes), Err(TermError::CollidingKeys));
}

#[test]
fn t4_floats_chosen_to_collide_are_refused() {
    // V8's hash of these ends in 10 zeros; a table of 2 000 entries has 1 024 buckets.
    let hash = |bits: u64| {
        let mut hash = (!bits).wrapping_add(bits << 18);
        hash ^= hash >> 31;
        hash = hash.wrapping_mul(21);
        hash ^= hash >> 11;
        hash = hash.wrapping_add(hash << 6);
        hash ^ (hash >> 22)
    };
    let floats = 1.5_f64.to_bits()..;
    let term = |keys: &[u64]| {
        let mut bytes = [
            &[2, tag::SET][..],
            &u32::try_from(keys.len()).unwrap().to_le_bytes(),
        ]
        .concat();
        for key in keys {
            bytes.push(tag::FLOAT);
            bytes.extend_from_slice(&key.to_le_bytes());
        }
        bytes
    };
    let honest: Vec<u64> = floats.clone().take(2_000).collect();
    let chosen: Vec<u64> = floats
        .filter(|&bits| hash(bits).is_multiple_of(1 << 10))
        .take(2_000)
        .collect();
    assert_eq!(check(&mut term(&honest)), Ok(()));
    assert_eq!(check(&mut term(&chosen)), Err(TermError::CollidingKeys));
}

#[test]
fn t4_numbers_that_are_one_key_in_javascript_collide_however_they_are_written() {
    let of = |tag: u8, bytes: &[u8]| [&[tag], bytes].concat();
    let big = |bytes: &[u8]| {
        [
            &[tag::BIGINT, 0, u8::try_from(bytes.len()).unwrap(), 0, 0, 0],
            bytes,
        ]
        .concat()
    };
    let int = |value: i64| of(tag::INT, &value.to_le_bytes());
    let float = |value: f64| of(tag::FLOAT, &value.to_le_bytes());
    let safe = (1 << 53) - 1;
    let (wide, wide_bytes) = (
        1_i64 << 53 | 0x0102_0304,
        (1_u64 << 53 | 0x0102_0304).to_le_bytes(),
    );
    for one in [
        vec![
            vec![tag::SMALL_INT + 5],
            of(tag::INT8, &5_i8.to_le_bytes()),
            of(tag::INT16, &5_i16.to_le_bytes()),
            of(tag::INT32, &5_i32.to_le_bytes()),
            int(5),
            float(5.0),
        ],
        vec![
            of(tag::INT8, &(-5_i8).to_le_bytes()),
            of(tag::INT16, &(-5_i16).to_le_bytes()),
            of(tag::INT32, &(-5_i32).to_le_bytes()),
            int(-5),
            float(-5.0),
        ],
        vec![vec![tag::SMALL_INT], float(0.0), float(-0.0)],
        vec![int(safe), float(safe as f64)],
        // From 2^53 on an INT is a big integer, of which V8 hashes the lowest 64 bits without the sign.
        vec![
            int(wide),
            int(-wide),
            big(&wide_bytes[..7]),
            big(&[&wide_bytes[..], &[1]].concat()),
        ],
        vec![int(1 << 53), big(&(1_u64 << 53).to_le_bytes()[..7])],
    ] {
        // All together cost more comparisons than a term may. If one way to write it had another hash, they would not.
        let times = 1_620 / one.len();
        let mut bytes = [
            &[2, tag::SET][..],
            &1_620_u32.to_le_bytes(),
            &one.concat().repeat(times),
        ]
        .concat();
        assert_eq!(check(&mut bytes), Err(TermError::CollidingKeys), "{one:?}");
    }
}

#[test]
fn t4_each_term_has_an_allowance_of_its_own() {
    // A thousand equal keys cost 499 500 comparisons; a term may cost 1 048 576, and 64 for each key.
    let equal = |count| repeated(tag::SET, count, &[tag::SMALL_INT]);
    let mut checker = TermChecker::default();
    for _ in 0..10 {
        assert_eq!(checker.check(&mut equal(1_000), &shapes(), &Untranslated), Ok(()));
    }
    assert_eq!(check(&mut equal(1_514)), Ok(()));
    assert_eq!(check(&mut equal(1_515)), Err(TermError::CollidingKeys));
}
