//! Laws of terms: round trips, exact rewriting, and no harm from arbitrary bytes (T2, T4).

use proptest::prelude::*;
use snowmesh_core::Pid;
use snowmesh_core::term::{
    ShapeTable, Term, TermChecker, TermError, Untranslated, decode, encode, tag, validate,
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
    // Same ends, same length: the marks are all equal, only the middles differ.
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
