// How much is done for a lost node before the event loop runs again, so that timers and sockets do not wait (P6).

/** How many links, monitors, calls and spawns fire or are dropped: about half a millisecond of work. */
export const TIES_PER_STEP = 1024;
/** How many entries of tables of rooms above are removed: one or two milliseconds of work. */
export const ENTRIES_PER_STEP = 1024;
