// Sending by PID, name, name on a node and alias, now or later.
//
// Guarantees: a message is a value, copied before `send` returns (B8); a send to a dead actor does not fail, it is counted as a dead
// letter (A10); a name is looked up when the message is sent, that of a timer when it fires (H7); a timer for a local PID ends with
// that actor (H6).
//
// Owns no table: mailboxes, aliases and timers are the kernel's, names the registry's.
//
// Must not know: calls, how an actor is spawned, what a frame is.
export { cancelTimer, checkTimer, readTimer, startTimer } from './actor-timer.ts';
export { checkDest, checkPid, checkRef, checkTarget, type Dest, givenPid } from './dest.ts';
export { Sender } from './sender.ts';
