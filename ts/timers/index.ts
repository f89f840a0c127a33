// Timers of our own: a hierarchical wheel, one alarm of the clock for all of them.
//
// Guarantees: no timer fires early (H1), whatever its length up to 2^53 ms (H4); timers fire in order of their times (H2);
// arming and cancelling are O(1) and allocate nothing, so a million pending timers cost their memory only (H11). Time is
// monotonic (H10) and comes through the Clock port, so tests run on virtual time.
//
// Must not know: what a timer is for.
export { type Alarm, type Clock, systemClock } from './clock.ts';
export { Timer, Timers } from './timers.ts';
export { INACTIVE } from './wheel.ts';
