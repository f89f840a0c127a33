// A counter: a server that owns the counts of its share of the words. Words come as plain messages, one a message;
// whoever sent them asks with a call how many have arrived, and in the end for the counts, page by page.
import { defineServer, type RefFor } from '../../ts/index.ts';

interface Tally {
  readonly counts: Map<string, number>;
  words: number;
  /** What of the counts has not been asked for yet. */
  rest: Iterator<[string, number]> | undefined;
}

/** What a counter has counted so far. */
export interface Figures {
  readonly words: number;
  readonly different: number;
}

export const counter = defineServer({
  name: 'word-counter',
  init: (): Tally => ({ counts: new Map(), words: 0, rest: undefined }),
  info: ({ state }, word: string) => {
    state.words += 1;
    state.counts.set(word, (state.counts.get(word) ?? 0) + 1);
  },
  calls: {
    /** Answered after every word that was sent before it. */
    figures: ({ state }): Figures => ({ words: state.words, different: state.counts.size }),
    /** The next `size` words with their counts; fewer at the end. */
    page: ({ state }, size: number): [string, number][] => {
      state.rest ??= state.counts.entries();
      const page: [string, number][] = [];
      while (page.length < size) {
        const { value, done } = state.rest.next();
        if (done) break;
        page.push(value);
      }
      return page;
    },
  },
});

/** The PID of a counter. */
export type Counter = RefFor<typeof counter>;
