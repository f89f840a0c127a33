// The tags of session frames, spelled as in docs/wire.md section 6.

export const SEND = 0x10;
export const REG_SEND = 0x11;
export const PEER_LIST = 0x12;
export const LINK = 0x13;
export const UNLINK = 0x14;
export const EXIT = 0x15;
export const MONITOR = 0x16;
export const DEMONITOR = 0x17;
export const MONITOR_EXIT = 0x18;
export const SPAWN = 0x19;
export const SPAWN_REPLY = 0x1a;
export const ROOM_BROADCAST = 0x1e;
export const SHAPE = 0x31;
export const UNLINK_ACK = 0x33;
export const EXIT2 = 0x34;
export const CALL = 0x35;
export const REG_CALL = 0x36;
export const REPLY = 0x37;
export const ALIAS_SEND = 0x38;
export const SPAWN_ACK = 0x3a;
export const SYSTEM = 0x3f;

/** `ms` of a call without a deadline. */
export const FOR_EVER = 0xffff_ffff;

/** A frame whose tag and body are longer travels in fragments. */
export const FRAGMENT_BYTES = 131_072;

/** Length and tag. */
export const FRAME_HEADER = 5;
