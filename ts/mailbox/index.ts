// The mailbox: a queue of messages that can also be taken from the middle.
//
// Guarantees: O(1) at both ends; the order of what is left never changes (B5); a message that did not match
// a tag, a reference or a waiting receive is not tested again for it (B6). Memory follows what is in it: the first message
// lies in the mailbox itself, the rest in segments of 64 that come from a pool and go back to it.
//
// Must not know: actors, what a message is, or user code beyond the test it is given.
export { Mailbox, NOTHING, type Test } from './mailbox.ts';
