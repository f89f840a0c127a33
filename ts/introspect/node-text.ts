import type { Runtime } from '../actor/index.ts';
import { supervisorsOf } from '../supervisor/index.ts';
import type { NodeFacts } from './node-view.ts';
import { sourcesOf } from './sources.ts';

/** Most names that are printed in a list. */
const MAX_NAMED = 4;

/** The text of a node for `console.log`. O(peers). */
export function nodeText(runtime: Runtime, { name, isHidden }: NodeFacts): string {
  const lost = Object.entries(runtime.deadLetters.counts).filter(([, count]) => count > 0);
  const state = runtime.isStopped ? ', stopped' : runtime.isStopping ? ', stopping' : '';
  return [
    `Node ${name}${isHidden ? ' (hidden)' : ''} {`,
    `  actors: ${runtime.size}, of them supervisors: ${supervisorsOf(runtime).size}${state}`,
    `  local names: ${some([...first(runtime.names.keys())], runtime.names.size)}`,
    `  peers: ${peersOf(runtime)}`,
    `  lost messages: ${lost.map(([reason, count]) => `${reason} ${count}`).join(', ') || 'none'}`,
    '}',
  ].join('\n');
}

function peersOf(runtime: Runtime): string {
  const sessions = sourcesOf(runtime).sessions();
  const named = sessions.slice(0, MAX_NAMED).map(({ node, hidden, stalled }) => {
    const notes = [hidden ? 'hidden' : '', stalled ? 'stalled' : ''].filter((note) => note !== '');
    return notes.length === 0 ? node : `${node} (${notes.join(', ')})`;
  });
  return some(named, sessions.length);
}

function some(named: readonly string[], all: number): string {
  if (all === 0) return 'none';
  return named.length === all ? named.join(', ') : `${named.join(', ')} and ${all - named.length} more`;
}

function* first(names: Iterable<string>): Generator<string, undefined> {
  let left = MAX_NAMED;
  for (const name of names) {
    if (left-- === 0) return;
    yield name;
  }
}
