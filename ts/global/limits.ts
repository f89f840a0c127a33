// Limits on what a peer sends, so that no table grows without bound (P7), and times.

/** Bytes of UTF-8 in a name. */
export const MAX_NAME_BYTES = 255;
/** Names that the actors of one node may have, here and as seen from here. */
export const MAX_NAMES_PER_NODE = 1_000_000;
/** Claims of one peer that may wait here; above it they are refused. */
export const MAX_CLAIMS_PER_NODE = 65_536;
/** Claims, or requests to one peer, that this node has under way; more wait their turn. */
export const MAX_IN_FLIGHT = 16_384;
/** Entries in one part of what a new peer is told. */
export const SYNC_PART = 500;
/** How often a peer is told all names in one session: when it starts global names, and when it starts them again. */
export const MAX_TELLINGS = 100;
/** Entries that a switch replaced and that an entry remembers: those of nodes that may not know the switch. */
export const MAX_REPLACED = 16;
/** A connected peer that has not said within this time that it has global names is taken to have none. Unit: ms. */
export const HELLO_MS = 5_000;
/** A member that has said nothing for this long although it was asked is not waited for until it does. Unit: ms. */
export const ANSWER_MS = 5_000;
/** Pings that a member may leave without an answer while it says other things; a second lies between two. */
export const MAX_UNANSWERED_PINGS = 60;
/** Rounds of the roll call, of a second each, that a claim may wait for votes; a claim of a peer may hold a vote twice as long. */
export const MAX_VOTE_ROUNDS = 60;
/** How often voters may forget one claim, because this node did not answer, before it ends. */
export const MAX_FORGOTTEN = 16;
/** How often a voter is asked again that refuses a name for an entry that may be about to end, and the pauses. */
export const MAX_ASKED_AGAIN = 16;
export const FIRST_PAUSE_MS = 20;
export const MAX_PAUSE_MS = 400;
