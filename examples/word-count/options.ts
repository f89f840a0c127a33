// The command line of the word count.
import { parseArgs } from 'node:util';

/** What the nodes are called. The first that is there reads the files. */
export const LETTERS: readonly string[] = ['a', 'b', 'c'];

export interface Options {
  readonly paths: readonly string[];
  /** How many of the most frequent words are printed. */
  readonly top: number;
  /** Counter actors on each node. */
  readonly counters: number;
  /** The node that is killed in the middle. */
  readonly kill: string | undefined;
}

/** What there is to read when the user names nothing: the project's own documents. Relative to the repository. */
export const OWN_DOCUMENTS: readonly string[] = [
  'README.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  'CHANGELOG.md',
  'docs',
  'examples',
];

export const HELP = `Counts the words of files with actors on three nodes, and checks the result.

Usage: npm start [-- [options] [paths]]

Three operating-system processes start as nodes on loopback and connect over
TLS. One of them reads the files and sends every word to the counter actor it
belongs to; the counters live on all three nodes. When a node is killed, the
others do its work. At the end the counts are compared with those of a plain
loop in a single process.

  paths             files and folders to read; default: the project's own
                    documents. Missing, binary and unreadable files are named
                    and skipped. Folders are walked without hidden entries,
                    links, node_modules, target, dist, build and coverage.
  --top <n>         how many of the most frequent words to print  (default 10)
  --counters <n>    counter actors on each node, 1 to 1000        (default 4)
  --kill <node>     a, b or c: kills that node in the middle, as kill -9 does;
                    the counts have to be the same all the same
  -h, --help        this text

Examples:
  npm start
  npm start -- ~/books war-and-peace.txt
  npm start -- --top 25 docs
  npm start -- --kill b

Exit codes: 0 the counts are equal, 1 they are not or every node was lost,
2 nothing to read or a wrong option, 130 interrupted.
`;

/** What the user asked for: options, the help text, or a sentence that says what is wrong. */
export function parseOptions(args: readonly string[]): Options | 'help' | { wrong: string } {
  let parsed;
  try {
    parsed = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        help: { type: 'boolean', short: 'h', default: false },
        top: { type: 'string', default: '10' },
        counters: { type: 'string', default: '4' },
        kill: { type: 'string' },
      },
    });
  } catch (error) {
    return { wrong: (error as Error).message.replace(/ To specify a positional.*$/s, '') };
  }
  const { values, positionals } = parsed;
  if (values.help) return 'help';
  const top = wholeNumber(values.top, 1, 100_000);
  if (top === undefined)
    return { wrong: `--top takes a whole number from 1 to 100000, not "${values.top}".` };
  const counters = wholeNumber(values.counters, 1, 1000);
  if (counters === undefined) {
    return { wrong: `--counters takes a whole number from 1 to 1000, not "${values.counters}".` };
  }
  const { kill } = values;
  if (kill !== undefined && !LETTERS.includes(kill))
    return { wrong: `--kill takes one of ${LETTERS.join(', ')}, not "${kill}".` };
  return { paths: positionals, top, counters, kill };
}

function wholeNumber(text: string, least: number, most: number): number | undefined {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  return value >= least && value <= most ? value : undefined;
}
