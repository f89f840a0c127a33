// How much is done for a node that is lost, or that connects, before the event loop runs again, so that timers and sockets do not wait (P6).

/** How many links, monitors, calls and spawns fire or are dropped: about half a millisecond of work. */
export const FIRED_PER_STEP = 1024;
/** How many entries of tables of modules above are removed: one or two milliseconds of work. */
export const ENTRIES_PER_STEP = 1024;
/** How many entries of such tables are written to nodes that have connected: one or two milliseconds of work. */
export const WRITTEN_PER_STEP = 1000;
/** Most messages that wait until a snapshot to their peer is written. Beyond it all are sent at once. */
export const MAX_BEHIND_SNAPSHOT = 65_536;
