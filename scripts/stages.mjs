// node scripts/stages.mjs <case>: measures what each stage of a message costs, in ns of processor time, for docs/internals.md. Needs Linux
// with `perf`.
//
// Runs a case of dist/benches in its own process, warms it up, and samples that process and its children. A stage is a set of function
// names. Its cost is its share of the samples times the CPU time of an operation that the case reports. The case runs without
// --expose-gc, so that its rounds do not force collections. The addon's functions have names only if it was built with
// CARGO_PROFILE_RELEASE_STRIP=none npm run build:native.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const ROUNDS = 6;
const [name = 'cluster/one-way_64B'] = process.argv.slice(2);
const root = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'snowmesh-stages-'));

/** Stages by patterns of symbols: the first that matches counts. The file of the symbol decides if none does. */
const STAGES = [
  [
    'decode',
    /readAscii|\/(term\/(decode|term-bytes|key-trie|literal)|node\/session\/(entry-reader|batch))\.js/,
  ],
  [
    'compiling',
    /compiler::|turboshaft|maglev|baseline::|interpreter::|Compilation|OptimizedCompil|Bytecode(Array|Graph)|SourcePosition/,
  ],
  [
    'garbage',
    /Scaveng|MarkCompact|Sweep|Heap(::|Object::Size)|Evacuat|Marking|YoungGen|GCTracer|Worklist|ObjectVisitor|IterateRoots|IteratePointers|MemoryChunk|FreeList|PointersUpdating|RecordWrite/,
  ],
  ['seal and open (AES-GCM)', /aes(ni|_)|vaes|gcm|ghash|ring::/],
  ['TLS records', /rustls/],
  ['cut, check, rewrite', /snowmesh_core/],
  ['sessions and batches', /snowmesh_net|snowmesh_addon|parking_lot/],
  [
    'copies and zeros',
    /mem(cpy|move|set)_|mempcpy|copy_user|rep_movs|clear_page|copy_(to|from)_iter|CopyBytes|TypedArrayPrototype(Set|Slice|Fill)/i,
  ],
  [
    'memory from the system',
    /malloc|calloc|realloc|cfree|_int_free|unlink_chunk|page_fault|clear_huge|CreateTypedArray|ArrayBuffer|BackingStore/,
  ],
  ['encode and chunk', /\/(term\/|node\/session\/outgoing)[^ ]*\.js/],
  ['deliver', /\/(node|send|mailbox|kernel\/(delivery|mailbox-gate|aliases)|peer)[^ ]*\.js/],
  [
    'schedule and resume',
    /\/(kernel|scheduler|actor|call)\/[^ ]*\.js|Promise|Microtask|Async(Function|Generator)|ResumeGenerator|SuspendGenerator/,
  ],
  ["the bench's actors, with what is inlined in them", /\/benches\//],
  ['libuv and Node.js', /uv_|node::|napi/],
];

function stageOf(symbol, file) {
  const found = STAGES.find(([, pattern]) => pattern.test(symbol));
  if (found !== undefined) return found[0];
  if (
    /kernel|\[guest|vmlinux/.test(file) ||
    /^(sys_|__x64_|do_syscall|tcp_|__tcp|ip_|sock_|ep_|vfs_|_raw_spin|finish_task|schedule)/.test(symbol)
  )
    return 'system calls and TCP';
  if (/snowmesh\.node/.test(file)) return 'addon, functions without names';
  if (/perf-\d+\.map|node$/.test(file)) return 'V8: builtins and the rest';
  return 'the rest';
}

const child = spawn(
  process.execPath,
  [
    '--perf-basic-prof',
    join(root, 'dist/benches/child.js'),
    name,
    JSON.stringify({ rounds: ROUNDS, processes: 1, roundSeconds: 0.8, warmSeconds: 2.4, quick: false }),
  ],
  { cwd: root, stdio: ['pipe', 'pipe', 'inherit'] },
);
const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
const answer = async () => JSON.parse((await answers.next()).value);
await answer(); // the first answer: the case is warmed up

const pids = [
  child.pid,
  ...readdirSync(`/proc/${child.pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${child.pid}/task/${task}/children`, 'utf8').trim().split(' ').filter(Boolean),
  ),
];
const data = join(folder, 'perf.data');
const perf = spawn(
  'perf',
  ['record', '-q', '-e', 'cpu-clock', '-F', '1999', '-o', data, '-p', pids.join(',')],
  { stdio: 'ignore' },
);
const rounds = [];
for (let round = 0; round < ROUNDS; round++) {
  child.stdin.write('round\n');
  rounds.push((await answer()).round);
}
const ended = new Promise((done) => perf.once('exit', done));
perf.kill('SIGINT');
await ended;
const samples = execFileSync('perf', ['script', '-i', data, '-F', 'ip,sym,dso'], {
  encoding: 'utf8',
  maxBuffer: 2 ** 30,
  stdio: ['ignore', 'pipe', 'ignore'],
});
child.stdin.end();
rmSync(folder, { recursive: true });

/** The lines of a bundle at which its modules begin, each with the module's name. */
const modulesOf = (bundle) =>
  readFileSync(bundle, 'utf8')
    .split('\n')
    .flatMap((line, at) => {
      const module = /^\/\/ (ts\/.*\.js)$/.exec(line)?.[1];
      return module === undefined ? [] : [{ from: at + 1, module }];
    });
const bundles = new Map();

/** A symbol with the name of its module in place of the bundle's and the line. */
function withModule(symbol) {
  const [place, bundle, line] = /file:\/\/(\S*\/dist\/lib\/\w+\.js):(\d+):\d+/.exec(symbol) ?? [];
  if (place === undefined) return symbol;
  if (!bundles.has(bundle)) bundles.set(bundle, modulesOf(bundle));
  const found = bundles.get(bundle).findLast(({ from }) => from <= Number(line));
  return symbol.replace(place, found === undefined ? bundle : `/${found.module}`);
}

const stages = new Map();
const symbols = new Map();
let total = 0;
for (const line of samples.split('\n')) {
  const [, named, file] = /^\s*[0-9a-f]+ (.*) \((.*)\)$/.exec(line) ?? [];
  if (named === undefined || /steps .*benches\/serve\.js/.test(named)) continue; // the probe of the core's speed is no round
  const symbol = withModule(named);
  const stage = stageOf(symbol, file);
  total += 1;
  stages.set(stage, (stages.get(stage) ?? 0) + 1);
  const key = `${stage}\t${symbol.slice(0, 90)}`;
  symbols.set(key, (symbols.get(key) ?? 0) + 1);
}
const costs = rounds.map(({ per_cpu_s: rate, cpu }) =>
  rate === undefined ? cpu.value * 1000 : 1e9 / rate.value,
);
const cost = costs.toSorted((a, b) => a - b)[ROUNDS >> 1];
console.log(
  `${name}: ${cost.toFixed(0)} ns of processor time an operation, ${total} samples\n\n| stage | ns | share |\n|---|---|---|`,
);
for (const [stage, count] of [...stages].toSorted(([, a], [, b]) => b - a))
  console.log(
    `| ${stage} | ${((count / total) * cost).toFixed(0)} | ${((count / total) * 100).toFixed(1)} % |`,
  );
if (process.argv.includes('--functions'))
  for (const [symbol, count] of [...symbols].toSorted(([, a], [, b]) => b - a).slice(0, 70))
    console.log(`${((count / total) * 100).toFixed(2).padStart(6)} % ${symbol}`);
process.exit(0);
