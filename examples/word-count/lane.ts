// The way to one counter, wherever it lives now. A lane keeps every word until its count has been handed over, so that
// words which were with a lost counter can go to another one: none is lost, and none is counted twice.
import { callWith, type Self } from '../../ts/index.ts';
import { type Counter, type Counts, counter } from './counter.ts';

/** A counter is asked for its counts once every so many words; each answer is the credit to go on. */
const WORDS_A_BATCH = 1024;
/** How long an answer may take: a counter answers behind the words that were sent to it before. Unit: ms. */
const PATIENCE = { timeout: 60_000 };

/** Words whose counts were asked for and have not come yet. */
interface Batch {
  readonly words: readonly string[];
  counts: Promise<Counts>;
}

/** Messages sent: words, questions and their answers. */
export interface Traffic {
  messages: number;
  /** Those of them that crossed from one process to another. */
  overTheWire: number;
}

export class Lane {
  /** Where its counter lives. */
  node = '';
  private counter!: Counter;
  private next: string[] = [];
  private readonly open: Batch[] = [];
  private readonly self: Self;
  private readonly traffic: Traffic;

  constructor(self: Self, traffic: Traffic) {
    this.self = self;
    this.traffic = traffic;
  }

  /** Words that a loss of the counter would lose, were they not kept here. */
  get kept(): number {
    return this.open.reduce((sum, { words }) => sum + words.length, this.next.length);
  }

  /** Starts a counter on that node and sends it all that is kept. Rejects when the node cannot be reached. */
  async moveTo(node: string): Promise<void> {
    this.counter = await counter.startWith(this.self, { node }, this.self.pid);
    this.node = node;
    for (const batch of this.open) {
      for (const word of batch.words) this.post(word);
      batch.counts = this.ask();
    }
    for (const word of this.next) this.post(word);
  }

  send(word: string): void {
    this.post(word);
    if (this.next.push(word) >= WORDS_A_BATCH) this.close();
  }

  /** Asks for the counts of what was sent. */
  close(): void {
    if (this.next.length === 0) return;
    this.open.push({ words: this.next, counts: this.ask() });
    this.next = [];
  }

  /** Waits until no more than `most` batches are open; `take` gets the counts that come. Rejects when the counter is lost. */
  async settle(most: number, take: (counts: Counts) => void): Promise<void> {
    for (let batch = this.open[0]; batch !== undefined && this.open.length > most; batch = this.open[0]) {
      const counts = await batch.counts;
      if (counts.words !== batch.words.length)
        throw new Error(`${batch.words.length} words were sent, but ${counts.words} arrived`);
      this.open.shift();
      take(counts);
    }
  }

  private post(word: string): void {
    this.self.send(this.counter, word);
    this.account(1);
  }

  private ask(): Promise<Counts> {
    const answer = callWith(this.self, PATIENCE, this.counter, 'handOver');
    answer.catch(() => {}); // whoever waits for it hears of it
    this.account(2);
    return answer;
  }

  private account(messages: number): void {
    this.traffic.messages += messages;
    if (!this.counter.isLocal) this.traffic.overTheWire += messages;
  }
}
