export { type Alarm, type Clock, MAX_DELAY, systemClock } from './clock.ts';
