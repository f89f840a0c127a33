// Tags of the session frames that the native core hands up, spelled as in docs/wire.md section 6.

export const FrameTag = {
  SEND: 0x10,
  REG_SEND: 0x11,
  PEER_LIST: 0x12,
  LINK: 0x13,
  UNLINK: 0x14,
  EXIT: 0x15,
  MONITOR: 0x16,
  DEMONITOR: 0x17,
  MONITOR_EXIT: 0x18,
  SPAWN: 0x19,
  SPAWN_REPLY: 0x1a,
  GLOBAL_REGISTER: 0x1b,
  GLOBAL_UNREGISTER: 0x1c,
  GLOBAL_SYNC: 0x1d,
  ROOM_BROADCAST: 0x1e,
  SHAPE: 0x31,
  UNLINK_ACK: 0x33,
  EXIT2: 0x34,
  CALL: 0x35,
  REG_CALL: 0x36,
  REPLY: 0x37,
  ALIAS_SEND: 0x38,
  SPAWN_ACK: 0x3a,
  SYSTEM: 0x3f,
} as const;

/** `ms` of a call without a deadline. */
export const FOR_EVER = 0xffff_ffff;
