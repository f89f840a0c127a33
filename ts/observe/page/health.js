// The health of nodes.
import { amount } from './format.js';

/** An event loop with this p99 delay is late, or very late. Unit: ms. */
const LATE_MS = 50;
const VERY_LATE_MS = 500;

/** The levels of health, worst first. */
const LEVELS = ['bad', 'warn', 'unknown', 'good'];

/** `n2` before `n10`. */
const compareNames = new Intl.Collator('en', { numeric: true }).compare;

export const totalOf = (counts) => Object.values(counts).reduce((total, each) => total + each, 0);

/**
 * The health of a node: its level, and the reason in words.
 *
 * @param stalled The nodes that a peer reports as stalled.
 * @param before The previous figures of the node, if there are any.
 */
export function healthOf({ node, state, overview }, stalled, before) {
  if (state === 'lost') return ['bad', 'lost: there is no connection to it'];
  if (stalled.has(node)) return ['bad', 'stalled: its event loop is blocked'];
  if (state === 'silent') return ['bad', 'does not answer'];
  if (state === 'off') return ['unknown', 'answers no queries'];
  if (overview === undefined) return ['unknown', 'has not answered yet'];
  const words = [];
  let level = 'good';
  const late = overview.loopDelay?.p99 ?? 0;
  if (late > LATE_MS) {
    level = late > VERY_LATE_MS ? 'bad' : 'warn';
    words.push(`event loop ${Math.round(late)} ms late`);
  }
  const lost = totalOf(overview.deadLetters) - totalOf(before?.deadLetters ?? overview.deadLetters);
  if (lost > 0) {
    if (level === 'good') level = 'warn';
    words.push(`${amount(lost, 'message')} lost`);
  }
  if (overview.isStopping) {
    if (level === 'good') level = 'warn';
    words.push('stopping');
  }
  return [level, words.join(', ') || 'healthy'];
}

/** For sorting: the worst health first, then by name. */
export function compareHealth(one, other) {
  return LEVELS.indexOf(one.level) - LEVELS.indexOf(other.level) || compareNames(one.node, other.node);
}
