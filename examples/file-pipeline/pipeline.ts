// A pipeline over a file: reader → counter → tally. The counter is fragile and crashes now and then; its supervisor
// starts a new one, the reader asks again, and the result is exact all the same.
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import {
  CallError,
  type Caller,
  call,
  callWith,
  cast,
  childSpec,
  defineActor,
  defineServer,
  defineSupervisor,
  type From,
  noReply,
  type Self,
} from '../../ts/index.ts';

/** What became of a file. */
export interface Result {
  readonly lines: number;
  readonly words: number;
  /** Words per line, in the order of the file. */
  readonly perLine: readonly number[];
  /** How many counters crashed on the way. */
  readonly crashes: number;
}

/** Words are runs of letters and digits. */
export const countWords = (line: string): number => line.match(/[\p{L}\p{N}]+/gu)?.length ?? 0;

/** Counts the words of lines, and crashes on its `fragility`th. */
const counter = defineServer({
  name: 'pipeline-counter',
  init: (_self, fragility: number) => ({ left: fragility }),
  calls: {
    count: ({ state }, line: string) => {
      if (--state.left <= 0) throw new Error('worn out');
      return countWords(line);
    },
  },
});

/** Keeps the counts. A line counted twice counts once, because it is kept by its number. */
const tally = defineServer({
  name: 'pipeline-tally',
  init: () => ({
    perLine: [] as number[],
    crashes: 0,
    result: undefined as Result | undefined,
    waiting: [] as From[],
  }),
  calls: {
    result: ({ state, from }) => {
      if (state.result !== undefined) return state.result;
      state.waiting.push(from);
      return noReply<Result>();
    },
  },
  casts: {
    line: ({ state }, number: number, words: number) => {
      state.perLine[number] = words;
    },
    crash: ({ state }) => void state.crashes++,
    end: ({ state }) => {
      const { perLine, crashes } = state;
      const words = perLine.reduce((sum, count) => sum + count, 0);
      state.result = { lines: perLine.length, words, perLine, crashes };
      for (const from of state.waiting.splice(0)) from.reply(state.result);
    },
  },
});

const COUNTER = counter.named('pipeline-counter');
const TALLY = tally.named('pipeline-tally');

/** Reads the file line by line and waits for each count, so it is never ahead of the counter. */
const reader = defineActor('pipeline-reader', async (self: Self, path: string) => {
  let number = 0;
  for await (const line of createInterface({
    input: createReadStream(path),
    crlfDelay: Number.POSITIVE_INFINITY,
  })) {
    cast(self, TALLY, 'line', number++, await count(self, line));
  }
  cast(self, TALLY, 'end');
});

/** Asks until there is an answer. Only a counter that ended is worth another try. */
async function count(self: Self, line: string): Promise<number> {
  for (;;) {
    try {
      return await call(self, COUNTER, 'count', line);
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      if (error.state === 'exit') cast(self, TALLY, 'crash');
      else if (error.state !== 'noproc') throw error;
      await self.sleep(1); // the supervisor needs a moment
    }
  }
}

/**
 * The stages under one supervisor. The tally comes first: if it were lost, counter and reader would start over with it;
 * the counter's own crashes restart only the counter, because it stands in a supervisor of its own.
 */
export const pipeline = defineSupervisor({
  name: 'pipeline',
  strategy: 'rest_for_one',
  children: (_self, path: string, fragility: number) => [
    childSpec('tally', tally, { name: TALLY }),
    childSpec('counting', counting, { args: [fragility] }),
    childSpec('reader', reader, { args: [path], restart: 'transient' }),
  ],
});

const counting = defineSupervisor({
  name: 'pipeline-counting',
  intensity: 1000,
  period: 1000,
  children: (_self, fragility: number) => [
    childSpec('counter', counter, { args: [fragility], name: COUNTER }),
  ],
});

/** Counts the words of a file with a counter that crashes at every `fragility`th line. */
export async function countFile(caller: Caller, path: string, fragility: number): Promise<Result> {
  await pipeline.start(caller, path, fragility);
  return callWith(caller, { timeout: 60_000 }, TALLY, 'result');
}
