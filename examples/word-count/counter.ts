// A counter: a server that counts the words sent to it, one a message, until it is asked to hand its counts over. Counts
// that were not handed over die with it; whoever sent those words still has them and sends them to another counter.
import { type Down, defineServer, type Pid, type RefFor } from '../../ts/index.ts';

/** What a counter has counted since it was asked last. */
export interface Counts {
  readonly words: number;
  readonly entries: readonly (readonly [word: string, count: number])[];
}

interface Tally {
  counts: Map<string, number>;
  words: number;
}

export const counter = defineServer({
  name: 'word-counter',
  init: (self, reader: Pid): Tally => {
    self.monitor(reader);
    return { counts: new Map(), words: 0 };
  },
  info: ({ state, self }, message: string | Down) => {
    if (typeof message !== 'string') return self.exit('normal'); // the reader is gone: nobody will ask
    state.words += 1;
    state.counts.set(message, (state.counts.get(message) ?? 0) + 1);
  },
  calls: {
    /** Answered after every word that was sent before it. */
    handOver: ({ state }): Counts => {
      const { words, counts } = state;
      state.words = 0;
      state.counts = new Map();
      return { words, entries: [...counts] };
    },
  },
});

/** The PID of a counter. */
export type Counter = RefFor<typeof counter>;
