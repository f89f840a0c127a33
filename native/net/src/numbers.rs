//! Gives each number `slot << 8 | creation` at most once. A name has a slot, and its incarnations one creation each. When they
//! are used up, the name gets a new slot, and when no slot is left, creations of slots of other names.

const MAX_SLOT: usize = 0xFFFF;
const MAX_CREATION: u32 = 0xFF;

/// The numbers that have not been given.
#[derive(Debug)]
pub(crate) struct Numbers {
    /// That of this node is first, and has no creation left.
    slots: Vec<Slot>,
    /// No slot before this one has a creation left.
    spare: usize,
}

/// The creations of one slot that have not been given: `next` to `last`.
#[derive(Clone, Copy, Debug)]
struct Slot {
    /// The one that the name of the slot takes.
    next: u32,
    /// The one that a name takes for which no slot is left.
    last: u32,
}

impl Slot {
    fn has_room(self) -> bool {
        self.next <= self.last
    }
}

impl Numbers {
    pub(crate) fn new() -> Self {
        let own = Slot { next: 1, last: 0 };
        Self {
            slots: vec![own],
            spare: 0,
        }
    }

    /// Takes a number for a name, if possible with `slot`, which its last number had.
    pub(crate) fn take(&mut self, slot: Option<u32>) -> Option<u32> {
        if let Some(slot) = slot
            && let Some(own) = self.slots.get_mut(slot as usize)
            && own.has_room()
        {
            own.next += 1;
            return Some(slot << 8 | (own.next - 1));
        }
        if self.slots.len() > MAX_SLOT {
            return self.take_spare();
        }
        let slot = u32::try_from(self.slots.len()).ok()?;
        self.slots.push(Slot {
            next: 2,
            last: MAX_CREATION,
        });
        Some(slot << 8 | 1)
    }

    fn take_spare(&mut self) -> Option<u32> {
        let full = self.slots.iter().skip(self.spare);
        self.spare += full.take_while(|slot| !slot.has_room()).count();
        let spare = self.slots.get_mut(self.spare)?;
        spare.last -= 1;
        Some(u32::try_from(self.spare).ok()? << 8 | (spare.last + 1))
    }
}
