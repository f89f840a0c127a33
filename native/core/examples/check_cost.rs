//! What checking costs per message: `cargo run --release -p snowmesh-core --example check_cost`.
//!
//! Prints the median of rounds and the best. Each round checks one body again and again; PIDs are written back before each
//! check because checking rewrites them.

#![expect(clippy::print_stdout, reason = "its output is what it is for")]

use std::hint::black_box;
use std::time::Instant;

use snowmesh_core::Pid;
use snowmesh_core::frame::{SessionTables, check_body, put_slot, tag};
use snowmesh_core::term::{Term, encode};

const ROUNDS: usize = 31;
const CHECKS: u32 = 20_000;
const US: u32 = 0x0100;

fn main() {
    for (name, message) in messages() {
        let body = [&Pid::new(US, 7).bits().to_le_bytes()[..], &encode(&message)].concat();
        let mut rounds: Vec<_> = (0..ROUNDS).map(|_| round(&body)).collect();
        rounds.sort_by(f64::total_cmp);
        let (best, median) = (rounds[0], rounds[ROUNDS / 2]);
        println!(
            "{name:34} {:5} bytes {median:9.1} ns, best {best:9.1}",
            body.len()
        );
    }
}

fn round(body: &[u8]) -> f64 {
    let (mut tables, mut numbers) = (SessionTables::new(0x0500), |_: &str, _: u64| Some(0));
    let mut slot = Vec::new();
    put_slot(&mut slot, US, 1, "us@h:1");
    let _ = black_box(check_body(tag::SLOT, &mut slot[5..], &mut tables, &mut numbers));
    let mut shape = b"\0\0\x03\0\x02\0id\x04\0name\x04\0tags".to_vec();
    let _ = black_box(check_body(tag::SHAPE, &mut shape, &mut tables, &mut numbers));
    let mut scratch = body.to_vec();
    let start = Instant::now();
    for _ in 0..CHECKS {
        scratch.copy_from_slice(body);
        let verdict = check_body(tag::SEND, black_box(&mut scratch), &mut tables, &mut numbers);
        assert!(black_box(verdict).is_ok());
    }
    start.elapsed().as_secs_f64() * 1e9 / f64::from(CHECKS)
}

fn messages() -> Vec<(&'static str, Term)> {
    let text = |text: &str| Term::String(text.to_owned());
    let values = vec![
        Term::Int(42),
        text("Ada Lovelace"),
        Term::List(vec![text("math"), text("engines")]),
    ];
    let keys = ["id", "name", "tags"].map(str::to_owned);
    let object = Term::Object(keys.into_iter().zip(values.clone()).collect());
    let wide = (0..1_000).map(|n| (format!("key number {n}"), Term::Int(n)));
    vec![
        ("small int", Term::Int(5)),
        ("short string", text("hello")),
        (
            "tagged pair with a PID",
            Term::List(vec![text("ping"), Term::Pid(Pid::new(0, 9))]),
        ),
        ("object of 3 keys, shaped", Term::Shaped { shape: 0, values }),
        ("object of 3 keys", object),
        (
            "list of 1 000 ints",
            Term::List((0..1_000).map(Term::Int).collect()),
        ),
        (
            "list of 1 000 PIDs",
            Term::List((0..1_000).map(|n| Term::Pid(Pid::new(0, n))).collect()),
        ),
        ("string of 10 000 bytes", text(&"a".repeat(10_000))),
        ("string of 10 000 bytes, not ASCII", text(&"é".repeat(5_000))),
        ("binary of 10 000 bytes", Term::Binary(vec![1; 10_000])),
        ("object of 1 000 keys", Term::Object(wide.collect())),
    ]
}
