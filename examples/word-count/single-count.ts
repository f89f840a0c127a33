// The same count without a cluster: one process, one loop, one Map. It shares with the cluster the definition of a
// word and nothing else, and reads in pieces of another size, so that a word cut at a border would show.
import { type Document, textOf } from './documents.ts';
import { WordSplitter } from './words.ts';

const PIECE_BYTES = 1_000_003;

/** The number of times each word occurs in all documents together. */
export async function countAlone(documents: readonly Document[]): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  const add = (word: string): void => void counts.set(word, (counts.get(word) ?? 0) + 1);
  for (const document of documents) {
    const splitter = new WordSplitter();
    for await (const { text } of textOf(document, PIECE_BYTES)) splitter.push(text, add);
    splitter.end(add);
  }
  return counts;
}

/** The words whose counts differ, in both directions. Empty when the counts are equal. */
export function differences(
  ours: ReadonlyMap<string, number>,
  alone: ReadonlyMap<string, number>,
): { word: string; cluster: number; single: number }[] {
  const different = [];
  for (const word of new Set([...ours.keys(), ...alone.keys()])) {
    const cluster = ours.get(word) ?? 0;
    const single = alone.get(word) ?? 0;
    if (cluster !== single) different.push({ word, cluster, single });
  }
  return different;
}

/** The most frequent words first; words of equal count in alphabetical order. */
export function mostFrequent(counts: ReadonlyMap<string, number>, top: number): [string, number][] {
  const entries = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  return entries.slice(0, top);
}
