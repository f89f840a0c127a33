// The actor that reads: cuts the files into words, sends each word to the counter it belongs to, wherever that one
// lives, and never gets too far ahead of the counters.
import { callWith, type Self } from '../../ts/index.ts';
import type { Counter, Figures } from './counter.ts';
import { type Document, textOf } from './documents.ts';
import type { Streamed } from './orders.ts';
import { partitionOf, WordSplitter } from './words.ts';

const PIECE_BYTES = 65_536;
/** A counter is asked for its figures once every so many words; each answer is the credit to go on. */
const WORDS_A_CREDIT = 1024;
/** Questions a counter may leave unanswered while the next piece is read. */
const OPEN_CREDITS = 4;
const WORDS_A_PAGE = 4096;
/** How long an answer may take: a counter answers behind the words that were sent to it before. Unit: ms. */
const PATIENCE = { timeout: 60_000 };

/** The way to one counter. */
class Lane {
  readonly counter: Counter;
  readonly isRemote: boolean;
  words = 0;
  calls = 0;
  private readonly self: Self;
  private readonly open: Promise<Figures>[] = [];

  constructor(self: Self, counter: Counter) {
    this.self = self;
    this.counter = counter;
    this.isRemote = !counter.isLocal;
  }

  send(word: string): void {
    this.self.send(this.counter, word);
    this.words += 1;
    if (this.words % WORDS_A_CREDIT === 0) this.ask();
  }

  /** Waits until the counter is near enough. */
  async settle(most: number): Promise<void> {
    while (this.open.length > most) await this.open.shift();
  }

  /** Waits until the counter has received every word; how many it has. */
  async finish(): Promise<number> {
    await this.settle(0);
    this.calls += 1;
    return (await callWith(this.self, PATIENCE, this.counter, 'figures')).words;
  }

  /** All its counts, page by page. */
  async *pages(): AsyncGenerator<readonly (readonly [string, number])[]> {
    for (;;) {
      const page = await callWith(this.self, PATIENCE, this.counter, 'page', WORDS_A_PAGE);
      if (page.length > 0) yield page;
      if (page.length < WORDS_A_PAGE) return;
    }
  }

  private ask(): void {
    const answer = callWith(this.self, PATIENCE, this.counter, 'figures');
    answer.catch(() => {}); // whoever waits for it hears of it
    this.calls += 1;
    this.open.push(answer);
  }
}

/** What the reader tells those who started it. */
export interface ReaderPort {
  /** `bytes` more have been read. */
  read(bytes: number): void;
  streamed(figures: Streamed): void;
  counted(entries: readonly (readonly [string, number])[]): Promise<void>;
}

/** Streams the documents to the counters, waits until all is counted, and collects the counts. */
export async function readDocuments(
  self: Self,
  documents: readonly Document[],
  counters: readonly Counter[],
  port: ReaderPort,
): Promise<void> {
  const lanes = counters.map((counter) => new Lane(self, counter));
  const started = performance.now();
  for (const document of documents) await readDocument(document, lanes, port);
  const received = sum(await Promise.all(lanes.map((lane) => lane.finish())));
  const seconds = (performance.now() - started) / 1000;
  const words = sum(lanes.map((lane) => lane.words));
  if (received !== words) throw new Error(`${words} words were sent, but ${received} arrived`);

  // A call and its answer are two messages.
  const messagesOf = (some: readonly Lane[]): number => sum(some.map((lane) => lane.words + 2 * lane.calls));
  const overTheWire = messagesOf(lanes.filter(({ isRemote }) => isRemote));
  port.streamed({ words, messages: messagesOf(lanes), overTheWire, seconds });
  for (const lane of lanes) {
    for await (const page of lane.pages()) await port.counted(page);
  }
}

async function readDocument(document: Document, lanes: readonly Lane[], port: ReaderPort): Promise<void> {
  const splitter = new WordSplitter();
  const send = (word: string): void => lanes[partitionOf(word, lanes.length)]?.send(word);
  for await (const { text, bytes } of textOf(document, PIECE_BYTES)) {
    splitter.push(text, send);
    port.read(bytes);
    for (const lane of lanes) await lane.settle(OPEN_CREDITS);
  }
  splitter.end(send);
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
