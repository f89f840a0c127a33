//! How many keys each announced shape has. The keys themselves only matter to JavaScript.

/// Shapes by id, counted up from 0.
#[derive(Clone, Debug, Default)]
pub struct ShapeTable {
    key_counts: Vec<u8>,
}

impl ShapeTable {
    /// Adds the next shape.
    pub fn push(&mut self, key_count: u8) {
        self.key_counts.push(key_count);
    }

    /// How many shapes there are, which is the id of the next.
    #[must_use]
    pub fn len(&self) -> usize {
        self.key_counts.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.key_counts.is_empty()
    }

    /// How many keys the shape has.
    #[inline]
    #[must_use]
    pub fn key_count(&self, id: u16) -> Option<usize> {
        self.key_counts
            .get(usize::from(id))
            .map(|&count| usize::from(count))
    }
}
