//! The checker and the decoder accept the same terms, and a decoded term is encoded in a form that decodes to the same bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use snowmesh_core::term::{ShapeTable, TermChecker, Untranslated, decode, encode};

fuzz_target!(|bytes: &[u8]| {
    let mut shapes = ShapeTable::default();
    [2, 0, 3].into_iter().for_each(|keys| shapes.push(keys));
    let verdict = TermChecker::default().check(&mut bytes.to_vec(), &shapes, &Untranslated);
    assert_eq!(verdict, decode(bytes, &shapes).map(drop));
    if let Ok(term) = decode(bytes, &shapes) {
        let again = encode(&term);
        assert!(again.len() <= bytes.len(), "shortest forms");
        assert!(decode(&again, &shapes).is_ok_and(|term| encode(&term) == again));
    }
});
