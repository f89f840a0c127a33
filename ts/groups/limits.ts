// Limits on what a peer sends: no table grows without bound (P7).

/** Bytes of UTF-8 in the name of a group, and of a scope. */
export const MAX_GROUP_BYTES = 255;
/** Memberships of the actors of one node, this one or a peer; an actor that joined twice counts twice. */
export const MAX_MEMBERSHIPS_PER_NODE = 4_000_000;
/** PIDs in one message, over all its groups. */
export const PART = 500;
/** How often a peer is told all members in one session: when it starts groups, and each time it starts them again. */
export const MAX_TELLINGS = 100;
