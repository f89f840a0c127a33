// Starts operating-system processes that run a TypeScript file of the tests, and makes sure none outlives its test.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { relative, sep } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { DEADLINE_MS, within } from './deadline.ts';

// This file runs from test/support/, or from dist/test/support/ when a compiled child starts children itself.
const here = fileURLToPath(new URL('../..', import.meta.url));
export const root = here.endsWith(`${sep}dist${sep}`)
  ? fileURLToPath(new URL('..', pathToFileURL(here)))
  : here;

/** Whether processes can be stopped, and take SIGINT and SIGTERM as a wish: not on Windows. */
export const hasSignals = process.platform !== 'win32';

export interface ChildOptions {
  args?: readonly string[];
  /** Added to the environment of this process; `undefined` removes a variable. */
  env?: Readonly<Record<string, string | undefined>>;
  /** Options of Node.js itself, such as `--expose-gc`. */
  nodeOptions?: readonly string[];
  cwd?: string;
  /** Opens an IPC channel (`process.send`). Default false. */
  ipc?: boolean;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A started process: its output so far, waits on it, and an end that is certain. */
export interface Child {
  readonly process: ChildProcess;
  readonly pid: number;
  /** Everything written to stdout and stderr so far. */
  stdout(): string;
  stderr(): string;
  /** The first line of stdout (from the start on) that matches. Rejects when the process ends without one. */
  line(pattern: string | RegExp, ms?: number): Promise<string>;
  /** Resolves when the process has ended and its output is complete. */
  exit(ms?: number): Promise<Exit>;
  write(text: string): void;
  /** After SIGSTOP no thread of the process runs any more when this returns (on Linux). */
  kill(signal?: NodeJS.Signals): void;
}

/**
 * The arguments for `node` that run a TypeScript file of this repository. The full test run compiles everything
 * first and sets SNOWMESH_COMPILED, so children start the code that users get; a single test run by hand needs no
 * compilation and goes through tsx.
 */
export function childCommand(file: URL | string): string[] {
  const path = file instanceof URL ? fileURLToPath(file) : file;
  if (!path.endsWith('.ts')) return [path];
  if (process.env['SNOWMESH_COMPILED'] === '1') {
    return [`${root}dist${sep}${relative(root, path).replace(/\.ts$/, '.js')}`];
  }
  return ['--import', import.meta.resolve('tsx'), path];
}

const alive = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of alive) child.kill('SIGKILL');
});

/** Starts `file` in a process of its own. It is killed with this process at the latest. */
export function startChild(file: URL | string, options: ChildOptions = {}): Child {
  const command = [...(options.nodeOptions ?? []), ...childCommand(file), ...(options.args ?? [])];
  const child = spawn(process.execPath, command, {
    cwd: options.cwd ?? root,
    env: { ...process.env, NODE_OPTIONS: undefined, ...options.env },
    stdio: ['pipe', 'pipe', 'pipe', ...(options.ipc ? ['ipc' as const] : [])],
  });
  return watch(child);
}

/** Wraps any process started with piped output. */
export function watch(child: ChildProcess): Child {
  alive.add(child);
  let stdout = '';
  let stderr = '';
  const lines: string[] = [];
  const closed = once(child, 'close').then(([code, signal]) => {
    alive.delete(child);
    return { code, signal };
  });
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const reader = child.stdout ? createInterface({ input: child.stdout }) : undefined;
  reader?.on('line', (line) => lines.push(line));
  const story = () => `\n--- stdout\n${stdout}\n--- stderr\n${stderr}`;

  const findLine = (pattern: string | RegExp): Promise<string> =>
    new Promise((resolve, reject) => {
      const matches = (line: string) =>
        typeof pattern === 'string' ? line.includes(pattern) : pattern.test(line);
      const seen = lines.find(matches);
      if (seen !== undefined) return resolve(seen);
      reader?.on('line', (line) => matches(line) && resolve(line));
      closed.then(
        ({ code, signal }) =>
          reject(new Error(`ended (${signal ?? code}) without the line ${pattern}${story()}`)),
        reject,
      );
    });

  const withStory = async <T>(what: string, promise: Promise<T>, ms: number): Promise<T> => {
    try {
      return await within(what, promise, ms);
    } catch (error) {
      if (error instanceof Error && error.message.startsWith('did not happen')) error.message += story();
      throw error;
    }
  };

  return {
    process: child,
    pid: child.pid ?? -1,
    stdout: () => stdout,
    stderr: () => stderr,
    line: (pattern, ms = DEADLINE_MS) =>
      withStory(`a line ${pattern} from process ${child.pid}`, findLine(pattern), ms),
    exit: (ms = DEADLINE_MS) => withStory(`the end of process ${child.pid}`, closed, ms),
    write: (text) => void child.stdin?.write(text),
    kill(signal = 'SIGKILL') {
      if (child.kill(signal) && signal === 'SIGSTOP') awaitStandstill(child);
    },
  };
}

/** A signal to stop takes effect thread by thread, some time after it was sent. */
function awaitStandstill(child: ChildProcess): void {
  if (process.platform !== 'linux') return;
  const end = performance.now() + DEADLINE_MS;
  while (isMoving(`/proc/${child.pid}/task`)) {
    if (performance.now() > end)
      throw new Error(`process ${child.pid} did not stop within ${DEADLINE_MS} ms`);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
  }
}

/** Whether one of the threads is not stopped; false for a process that is gone. */
function isMoving(tasks: string): boolean {
  const read = <T>(what: () => T): T | undefined => {
    try {
      return what();
    } catch {
      return undefined; // the thread, or the whole process, has ended meanwhile
    }
  };
  const states = read(() => readdirSync(tasks))?.map((task) =>
    read(() => readFileSync(`${tasks}/${task}/status`, 'utf8')),
  );
  return states?.some((status) => status !== undefined && !/^State:\s+[TtZX]/m.test(status)) === true;
}

/** Kills every process this file started and waits until they are gone. For `afterEach`. */
export async function killChildren(): Promise<void> {
  const ends = [...alive].map((child) => {
    const end = once(child, 'close');
    child.kill('SIGKILL');
    return end;
  });
  await within('the end of killed processes', Promise.all(ends));
}
