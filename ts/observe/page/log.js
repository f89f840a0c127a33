// The log of crashes and of what the observing node notices about its peers.
import { $, count, element, time } from './format.js';

/** Most lines of the log. */
const MAX_LINES = 200;
/** Kinds of events for which a repeated event replaces its line. */
const FOLDED = new Set(['crash', 'unreachable', 'refuse']);

/** The lines of those events, by their text. */
const repeated = new Map();
/** The entries that came while the page is paused; undefined: it is not paused. */
let held;
let lastId = 0;
const NONE = element('li', 'none', 'None yet.');
$('log').append(NONE);

/** Keeps the log as it is from now on, or shows what has come meanwhile. */
export function pauseLog(isPaused) {
  const entries = held ?? [];
  held = isPaused ? [] : undefined;
  if (!isPaused) showLog(entries);
}

/** Adds entries that are not in the log yet: after a reconnect the server sends the last ones again. */
export function showLog(entries) {
  if (held !== undefined) {
    held = [...held, ...entries].slice(-MAX_LINES);
    return;
  }
  for (const { id, at, kind, node, text, stack, times } of entries) {
    if (id <= lastId) continue;
    lastId = id;
    NONE.remove();
    const line = element(
      'li',
      kind,
      element('time', '', time(at)),
      element('b', '', times > 1 ? `${kind} ×${count(times)}` : kind),
      element('span', '', kind === 'crash' ? `${node}: ${text}` : text, stack ? details(stack) : ''),
    );
    if (FOLDED.has(kind)) {
      const key = `${kind} ${node} ${kind === 'crash' ? text.replace(/<[\d.]+>/, '') : text}`;
      repeated.get(key)?.remove();
      repeated.set(key, line);
    }
    $('log').prepend(line);
  }
  while ($('log').children.length > MAX_LINES) $('log').lastChild.remove();
  for (const [key, line] of repeated) if (!line.isConnected) repeated.delete(key);
}

function details(stack) {
  return element('details', '', element('summary', '', 'stack'), element('pre', '', stack));
}
