// The actor that reads: cuts the files into words, sends each word to the counter it belongs to, wherever that one
// lives, and collects the counts. When a node is lost, its counters start anew on the others.
import type { Self } from '../../ts/index.ts';
import type { Counts } from './counter.ts';
import { type Document, textOf } from './documents.ts';
import { Lane, type Traffic } from './lane.ts';
import type { Moved, Progress, Streamed } from './orders.ts';
import { partitionOf, WordSplitter } from './words.ts';

const PIECE_BYTES = 65_536;
/** Batches of a lane that may be open while the next piece is read. */
const OPEN_BATCHES = 2;
const WORDS_A_PAGE = 4096;

/** What is to be read. */
export interface Job {
  readonly documents: readonly Document[];
  /** Counters on each node. */
  readonly counters: number;
  /** Whether to wait in the middle until it is told to go on. */
  readonly pauses: boolean;
}

/** What the reader asks and tells those around it. */
export interface ReaderPort {
  /** The nodes that are there now, its own first. */
  nodes(): readonly string[];
  /** It starts at the beginning; what it told before is void. */
  begun(): void;
  progress(progress: Progress): void;
  moved(moved: Moved): void;
  halfway(): Promise<void>;
  streamed(figures: Streamed): void;
  counted(entries: Counts['entries']): Promise<void>;
}

/** Streams the documents to the counters until everything is counted, and hands on the counts. */
export async function readDocuments(self: Self, job: Job, port: ReaderPort): Promise<void> {
  await new Reader(self, job, port).run();
}

class Reader {
  private readonly job: Job;
  private readonly port: ReaderPort;
  private readonly lanes: Lane[];
  private readonly traffic: Traffic = { messages: 0, overTheWire: 0 };
  /** All that was handed over. */
  private readonly counts = new Map<string, number>();
  private readonly wordsOf = new Map<string, number>();
  private bytesRead = 0;

  constructor(self: Self, job: Job, port: ReaderPort) {
    this.job = job;
    this.port = port;
    const lanes = port.nodes().length * job.counters;
    this.lanes = Array.from({ length: lanes }, () => new Lane(self, this.traffic));
  }

  async run(): Promise<void> {
    const started = performance.now();
    this.port.begun();
    await this.place(this.lanes);
    for (const document of this.job.documents) await this.read(document);
    for (const lane of this.lanes) lane.close();
    for (const lane of this.lanes) await this.settle(lane, 0);
    const seconds = (performance.now() - started) / 1000;
    const words = [...this.wordsOf.values()].reduce((sum, each) => sum + each, 0);
    this.port.progress(this.progress());
    this.port.streamed({ words, ...this.traffic, counters: this.lanes.length, seconds });

    const entries = [...this.counts];
    for (let at = 0; at < entries.length; at += WORDS_A_PAGE) {
      await this.port.counted(entries.slice(at, at + WORDS_A_PAGE));
    }
  }

  private async read(document: Document): Promise<void> {
    const splitter = new WordSplitter();
    const send = (word: string): void => this.lanes[partitionOf(word, this.lanes.length)]?.send(word);
    for await (const { text, bytes } of textOf(document, PIECE_BYTES)) {
      splitter.push(text, send);
      await this.advance(bytes);
    }
    splitter.end(send);
  }

  /** A piece was read and sent. */
  private async advance(bytes: number): Promise<void> {
    const half = this.job.documents.reduce((sum, document) => sum + document.bytes, 0) / 2;
    const isHalfway = this.bytesRead < half && this.bytesRead + bytes >= half;
    this.bytesRead += bytes;
    if (isHalfway && this.job.pauses) await this.port.halfway();
    for (const lane of this.lanes) await this.settle(lane, OPEN_BATCHES);
    this.port.progress(this.progress());
  }

  /** Waits until the lane's counter is near enough. Its node may be lost meanwhile: then others take over. */
  private async settle(lane: Lane, most: number): Promise<void> {
    for (;;) {
      try {
        return await lane.settle(most, (counts) => this.take(lane.node, counts));
      } catch (error) {
        if (this.port.nodes().includes(lane.node)) throw error; // not its node: the supervisor starts us again
        await this.takeOver(lane.node);
      }
    }
  }

  /** A node is gone: its counters start anew on the others, and get the words whose counts had not been handed over. */
  private async takeOver(node: string): Promise<void> {
    const lanes = this.lanes.filter((lane) => lane.node === node);
    const words = lanes.reduce((sum, { kept }) => sum + kept, 0);
    await this.place(lanes);
    const to = [...new Set(lanes.map((lane) => lane.node))];
    this.port.moved({ node, counters: lanes.length, words, to });
  }

  /** Gives each lane a counter on a node that is there, in turn. */
  private async place(lanes: readonly Lane[]): Promise<void> {
    for (let at = 0; at < lanes.length; ) {
      const nodes = this.port.nodes();
      const node = nodes[at % nodes.length] as string;
      try {
        await lanes[at]?.moveTo(node);
        at += 1;
      } catch (error) {
        if (this.port.nodes().includes(node)) throw error;
      }
    }
  }

  private take(node: string, { words, entries }: Counts): void {
    this.wordsOf.set(node, (this.wordsOf.get(node) ?? 0) + words);
    for (const [word, count] of entries) this.counts.set(word, (this.counts.get(word) ?? 0) + count);
  }

  private progress(): Progress {
    return { bytesRead: this.bytesRead, words: [...this.wordsOf] };
  }
}
