// Limits for peers, so that no table grows without bound (P7), and times.

/** Bytes of UTF-8 in a name. */
export const MAX_NAME_BYTES = 255;
/** Names of the actors of one node, of this one or of a peer. */
export const MAX_NAMES_PER_NODE = 1_000_000;
/** Claims of one peer that wait for this node; further ones are refused. */
export const MAX_CLAIMS_PER_NODE = 65_536;
/** Claims, and forwarded requests, that this node has under way; further ones wait. */
export const MAX_IN_FLIGHT = 16_384;
/** Entries in one `sync` message. */
export const PART = 500;
/** How often a peer gets all names in one session: each time it starts global names. */
export const MAX_SYNCS = 100;
/** Replaced entries that an entry remembers: those of nodes that may not know of the switch. */
export const MAX_REPLACED = 16;
/** A connected peer that has not greeted within this time counts as one without global names. Unit: ms. */
export const HELLO_MS = 5_000;
/** A member that has not answered for this long is not waited for until it sends something. Unit: ms. */
export const ANSWER_MS = 5_000;
/** Unanswered pings to a member that still sends other messages. One ping is sent a second. */
export const MAX_UNANSWERED_PINGS = 60;
/** Rounds of pings, one a second, for which a claim may wait for votes. A claim of a peer may hold a vote twice as long. */
export const MAX_VOTE_ROUNDS = 60;
/** How often voters may forget one claim, because this node did not answer, before it ends. */
export const MAX_FORGOTTEN = 16;
/** How often a voter that refuses a name for an entry that may be about to end is asked again, and the pauses between. */
export const MAX_ASKED_AGAIN = 16;
export const FIRST_PAUSE_MS = 20;
export const MAX_PAUSE_MS = 400;
