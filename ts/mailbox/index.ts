// The mailbox: a queue of messages that can also be taken from the middle.
//
// Guarantees: O(1) at both ends, order of what is left never changes (B5), and nobody looks at a message twice who
// remembers where he stopped. It knows nothing of actors, and never calls user code except the test it is given.
export { Cursor, Mailbox, NOTHING } from './mailbox.ts';
