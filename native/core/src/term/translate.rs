//! Node numbers on the way from a peer's numbering into this node's.

/// From the writer's numbering into the reader's.
pub trait Translate {
    /// The reader's number for the writer's number `nc`; `None` when it was not announced.
    fn translate(&self, nc: u32) -> Option<u32>;
}

/// Leaves every number as it is.
#[derive(Clone, Copy, Debug)]
pub struct Untranslated;

impl Translate for Untranslated {
    #[inline]
    fn translate(&self, nc: u32) -> Option<u32> {
        Some(nc)
    }
}

impl<F: Fn(u32) -> Option<u32>> Translate for F {
    #[inline]
    fn translate(&self, nc: u32) -> Option<u32> {
        self(nc)
    }
}
