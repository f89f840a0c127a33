// The mailbox: a queue of messages from which a message can also be taken out of the middle.
//
// Guarantees: O(1) at both ends; the order of the other messages never changes (B5); a message that did not match a tag, a reference or
// a waiting receive is not tested for it again (B6). Its memory follows its length: a single message is in the mailbox itself, more are
// in segments of 64 from a pool.
//
// Must not know: actors, what a message is, user code beyond the test that it is called with.
export type { FreshKey, Key, Keys } from './cursors.ts';
export { LONG_MAILBOX, Mailbox, type MailboxOwner, type Matcher, NOTHING } from './mailbox.ts';
