// The main job: counts the words of real files with actors on three nodes. See options.ts for what it does and takes.
//
//   launcher (this process)          node a            node b            node c
//   finds files, shows progress      reads, counts     counts            counts
//   counts alone, compares           └── every word ──►└── TLS ─────────►┘
//
// The launcher is no node: what it counts to compare has nothing to do with the cluster.
import { randomBytes } from 'node:crypto';
import { constants } from 'node:os';
import { Crew, NodeLost } from './crew.ts';
import { amount, Display, size } from './display.ts';
import { type Document, findDocuments } from './documents.ts';
import { HELP, type Options, OWN_DOCUMENTS, parseOptions } from './options.ts';
import type { Report, Streamed } from './orders.ts';
import { countAlone, differences, mostFrequent } from './single-count.ts';

const LETTERS = ['a', 'b', 'c'];
const FAILED = 1;
const NOTHING_TO_DO = 2;

const say = (line = ''): void => void process.stdout.write(`${line}\n`);
const complain = (line: string): void => void process.stderr.write(`${line}\n`);

/** The whole job; the exit code. */
async function main(args: readonly string[]): Promise<number> {
  const options = parseOptions(args);
  if (options === 'help') {
    say(HELP.trimEnd());
    return 0;
  }
  if ('wrong' in options) {
    complain(`${options.wrong} See --help.`);
    return NOTHING_TO_DO;
  }
  const documents = await collect(options);
  if (documents.length === 0) {
    complain('Nothing to read: none of these paths holds a text file that can be read.');
    return NOTHING_TO_DO;
  }
  return new Job(documents, options).run();
}

async function collect(options: Options): Promise<readonly Document[]> {
  const isOwn = options.paths.length === 0;
  const { documents, skipped } = await findDocuments(isOwn ? OWN_DOCUMENTS : options.paths);
  for (const { path, why } of skipped) {
    if (!isOwn || documents.length === 0) complain(`Skipped ${path}: ${why}.`);
  }
  return documents;
}

/** Resolves with the exit code when the user or the system asks us to end. A second Ctrl-C ends at once. */
function interruption(): Promise<number> {
  return new Promise((resolve) => {
    let asked = false;
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        const code = 128 + constants.signals[signal];
        if (asked) process.exit(code);
        asked = true;
        complain('Interrupted: the nodes are being stopped.');
        resolve(code);
      });
    }
  });
}

class Job {
  private readonly documents: readonly Document[];
  private readonly options: Options;
  private readonly crew: Crew;
  private readonly display: Display;
  /** What the counters on the cluster say. */
  private readonly counts = new Map<string, number>();

  constructor(documents: readonly Document[], options: Options) {
    this.documents = documents;
    this.options = options;
    this.display = new Display(process.stdout, this.bytes);
    this.crew = Crew.start(LETTERS, (at, report) => this.take(at, report));
  }

  /** Runs the job and ends the node processes whatever happens; the exit code. */
  async run(): Promise<number> {
    // Should this process end without passing below, the children still go.
    process.once('exit', () => this.crew.kill());
    try {
      return await Promise.race([this.countAndCompare(), interruption()]);
    } catch (error) {
      if (!(error instanceof NodeLost)) throw error;
      complain(`${error.message} The count is void.`);
      return FAILED;
    } finally {
      await this.crew.stop();
    }
  }

  private get bytes(): number {
    return this.documents.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  private take(at: number, report: Report): void {
    if (report.type === 'progress') this.display.update(at, report.progress);
    if (report.type !== 'counts') return;
    for (const [word, count] of report.entries) this.counts.set(word, (this.counts.get(word) ?? 0) + count);
  }

  private async countAndCompare(): Promise<number> {
    const names = await this.formCluster();
    const files = this.documents.length;
    say(`Reading ${amount(files)} ${files === 1 ? 'file' : 'files'}, ${size(this.bytes)}.`);
    this.display.start(names);
    const streamed = this.crew.next(0, 'streamed');
    const counted = this.crew.next(0, 'counted');
    this.crew.tell(0, { type: 'read', nodes: names, documents: this.documents });
    const { stream } = await streamed;
    const { peers } = await counted;
    const last = await this.crew.all(() => ({ type: 'finish' }), 'finished');
    this.display.finish(last.map(({ progress }) => progress));

    say('Counting once more in a single process, to compare.');
    const alone = await this.crew.orLost(countAlone(this.documents));
    reportFigures(stream, names.length * this.options.counters, peers);
    reportWords(this.counts, this.options.top);
    return verdict(this.counts, alone, stream);
  }

  private async formCluster(): Promise<readonly string[]> {
    const cookie = randomBytes(32).toString('base64url');
    const { counters } = this.options;
    const started = performance.now();
    const names = (
      await this.crew.all(
        (at) => ({ type: 'start', name: `${LETTERS[at]}@127.0.0.1:0`, cookie, counters }),
        'up',
      )
    ).map(({ name }) => name);
    await this.crew.all((at) => ({ type: 'connect', nodes: names.slice(0, at) }), 'connected');
    say(`Three nodes are up and connected over TLS (${Math.round(performance.now() - started)} ms):`);
    for (const [at, { name, pid }] of this.crew.members.entries()) {
      const does = `${counters} ${counters === 1 ? 'counter' : 'counters'}${at === 0 ? ', reads the files' : ''}`;
      say(`  ${name}  pid ${pid}  ${does}`);
    }
    return names;
  }
}

function reportFigures(
  { words, messages, overTheWire, seconds }: Streamed,
  counters: number,
  peers: readonly (readonly [string, readonly string[]])[],
): void {
  const rate = messages / Math.max(seconds, 1e-6);
  say();
  say(`${amount(words)} words went to ${counters} counters in ${seconds.toFixed(2)} s:`);
  say(
    `  ${amount(messages)} messages, ${amount(overTheWire)} of them between processes; ${amount(rate)} a second.`,
  );
  say('What each node sees of the cluster:');
  for (const [name, others] of peers) say(`  ${name} sees ${others.join(' and ')}`);
}

function reportWords(counts: ReadonlyMap<string, number>, top: number): void {
  const entries = mostFrequent(counts, top);
  if (entries.length === 0) return say('\nThere is not a single word in there.');
  const width = Math.max(...entries.map(([, count]) => amount(count).length));
  say(`\nThe ${entries.length} most frequent of ${amount(counts.size)} different words:`);
  for (const [word, count] of entries) say(`  ${amount(count).padStart(width)}  ${word}`);
}

function verdict(
  counts: ReadonlyMap<string, number>,
  alone: ReadonlyMap<string, number>,
  streamed: Streamed,
): number {
  const different = differences(counts, alone);
  say();
  if (different.length === 0) {
    say(`Checked: a single process counts the same, word for word (${amount(streamed.words)} words).`);
    return 0;
  }
  complain(`WRONG: ${amount(different.length)} words have other counts in a single process, for example:`);
  for (const { word, cluster, single } of different.slice(0, 5)) {
    complain(`  ${word}: ${cluster} on the cluster, ${single} in a single process`);
  }
  complain('Either a file changed while it was read, or this is a bug in snowmesh.');
  return FAILED;
}

process.exitCode = await main(process.argv.slice(2));
