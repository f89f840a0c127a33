// Sending by PID, name, name on a node and alias, now or later.
//
// Guarantees: a message is a value, copied before `send` returns (B8); a send to an actor that is gone never fails, it is
// counted as a dead letter (B2); a name is resolved when the message is sent, a timer's name when it fires (H7); a timer ends
// with the local actor that it is aimed at (H6).
//
// Owns no table: mailboxes, aliases and timers are the kernel's, names the registry's.
//
// Must not know: calls, how an actor is spawned, what a frame is.
export { cancelTimer, checkTimer, startTimer } from './actor-timer.ts';
export { checkDest, checkPid, checkRef, checkTarget, type Dest } from './dest.ts';
export { Sender } from './sender.ts';
