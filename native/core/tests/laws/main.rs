//! Properties of the protocol, each for all inputs, and the known-answer vectors.
//!
//! A failing property prints the smallest input and a seed; the seed is kept in `proptest-regressions` and tried
//! first from then on.

mod announcement;
mod frame;
mod handshake;
mod stream;
mod support;
mod term;
mod vectors;
