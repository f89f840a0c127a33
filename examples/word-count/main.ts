// The main job: counts the words of real files with actors on three nodes. See options.ts for what it does and takes.
//
//   launcher (this process)          node a            node b            node c
//   finds files, shows progress      reads, counts     counts            counts
//   counts alone, compares           └── every word ──►└── TLS ─────────►┘
//
// A node that is lost is replaced: its counters start anew on the others (reader.ts), and when it is the one that reads,
// the next one reads from the beginning. The launcher is no node: what it counts to compare has nothing to do with the cluster.
import { randomBytes } from 'node:crypto';
import { constants } from 'node:os';
import { Crew, type CrewListener, type Member, NodeLost } from './crew.ts';
import { amount, Display, size } from './display.ts';
import { type Document, findDocuments } from './documents.ts';
import { HELP, LETTERS, type Options, OWN_DOCUMENTS, parseOptions } from './options.ts';
import type { Moved, Report, Sight, Streamed } from './orders.ts';
import { countAlone, differences, mostFrequent } from './single-count.ts';

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

class Job implements CrewListener {
  private readonly documents: readonly Document[];
  private readonly options: Options;
  private readonly crew: Crew;
  private readonly display: Display;
  /** Which node reads. */
  private reader = 0;
  /** What the counters on the cluster say. */
  private readonly counts = new Map<string, number>();

  constructor(documents: readonly Document[], options: Options) {
    this.documents = documents;
    this.options = options;
    this.display = new Display(process.stdout, this.bytes);
    this.crew = new Crew(LETTERS, this);
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

  heard(at: number, report: Report): void {
    if (at !== this.reader) return;
    if (report.type === 'begun') this.counts.clear();
    if (report.type === 'progress') this.display.update(report.progress);
    if (report.type === 'halfway') this.killOne();
    if (report.type === 'moved') this.display.note(storyOf(report.moved));
    if (report.type !== 'counts') return;
    for (const [word, count] of report.entries) this.counts.set(word, (this.counts.get(word) ?? 0) + count);
  }

  lost(at: number, why: string): void {
    this.display.lose(this.crew.members[at]?.name ?? '');
    this.display.note(why);
  }

  private get bytes(): number {
    return this.documents.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  private get victim(): number {
    return this.options.kill === undefined ? -1 : LETTERS.indexOf(this.options.kill);
  }

  /** The reader waits in the middle of its work: now is the time. */
  private killOne(): void {
    const { name, pid } = this.crew.members[this.victim] as Member;
    this.display.note(`Half is read. Node ${name} (pid ${pid}) is killed, as by kill -9.`);
    this.crew.killOne(this.victim);
    this.crew.tell(this.reader, { type: 'goOn' });
  }

  private async countAndCompare(): Promise<number> {
    const names = await this.formCluster();
    const files = this.documents.length;
    say(`Reading ${amount(files)} ${files === 1 ? 'file' : 'files'}, ${size(this.bytes)}.`);
    this.display.start(names);
    const { stream, peers } = await this.count();
    this.display.finish();

    say('Counting once more in a single process, to compare.');
    const alone = await countAlone(this.documents);
    reportFigures(stream, peers);
    reportWords(this.counts, this.options.top);
    return verdict(this.counts, alone, stream);
  }

  /** Has a node read and count; when that one is lost, the next. Rejects with NodeLost when there is none. */
  private async count(): Promise<{ stream: Streamed; peers: readonly Sight[] }> {
    for (;;) {
      const at = this.reader;
      try {
        const streamed = this.crew.next(at, 'streamed');
        const counted = this.crew.next(at, 'counted');
        const { documents } = this;
        const { counters } = this.options;
        const pauses = this.crew.isThere(this.victim);
        this.crew.tell(at, { type: 'read', job: { documents, counters, pauses } });
        const [{ stream }, { peers }] = await Promise.all([streamed, counted]);
        return { stream, peers };
      } catch (error) {
        this.reader = LETTERS.findIndex((_letter, next) => this.crew.isThere(next));
        const heir = this.crew.members[this.reader];
        if (!(error instanceof NodeLost) || heir === undefined) throw error;
        this.display.note(`It was the one that read: ${heir.name} reads from the beginning.`);
      }
    }
  }

  private async formCluster(): Promise<readonly string[]> {
    const cookie = randomBytes(32).toString('base64url');
    const { counters } = this.options;
    const started = performance.now();
    const names = (
      await this.crew.all((at) => ({ type: 'start', name: `${LETTERS[at]}@127.0.0.1:0`, cookie }), 'up')
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

function storyOf({ node, counters, words, to }: Moved): string {
  const those = counters === 1 ? 'Its counter goes' : `The ${counters} counters of ${node} go`;
  return `${those} on at ${to.join(' and ')}, which got ${amount(words)} words again.`;
}

function reportFigures(
  { words, counters, messages, overTheWire, seconds }: Streamed,
  peers: readonly Sight[],
): void {
  const rate = messages / Math.max(seconds, 1e-6);
  say();
  say(`${amount(words)} words went to ${counters} counters in ${seconds.toFixed(2)} s:`);
  say(
    `  ${amount(messages)} messages, ${amount(overTheWire)} of them between processes; ${amount(rate)} a second.`,
  );
  say('What each node sees of the cluster:');
  for (const [name, others] of peers) say(`  ${name} sees ${others.join(' and ') || 'nobody else'}`);
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
