//! Numbers of pairs of name and incarnation that were not given before: `slot << 8 | creation`. A name has a slot, and its
//! incarnations one creation each. When they are used up, the name gets a new slot, and when no slot is left, creations of
//! slots of other names.

const MAX_SLOT: usize = 0xFFFF;
const MAX_CREATION: u32 = 0xFF;

#[derive(Debug)]
pub(crate) struct Numbers {
    /// That of this node comes first.
    slots: Vec<Slot>,
    /// No slot before it has a creation left.
    spare: usize,
}

/// The creations of one slot that are left.
#[derive(Clone, Copy, Debug)]
struct Slot {
    /// The next one of its name.
    next: u32,
    /// The last one, which the next name without a slot takes.
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
