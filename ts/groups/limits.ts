// Limits for peers, so that no table grows without bound (P7).

/** Bytes of UTF-8 in the name of a group, and of a scope. */
export const MAX_GROUP_BYTES = 255;
/** Memberships of the actors of one node, of this one or of a peer. An actor that joined a group twice counts twice. */
export const MAX_MEMBERSHIPS_PER_NODE = 4_000_000;
/** Groups in which the actors of one node, of this one or of a peer, are members. A group takes some 700 bytes more than a membership. */
export const MAX_GROUPS_PER_NODE = 1_048_576;
/** PIDs in one message, over all its groups. */
export const PART = 500;
/** How often a peer gets all members in one session: each time it starts groups. */
export const MAX_SYNCS = 100;
