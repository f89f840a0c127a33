import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as own from '../node/index.ts';
import { ASKING_OPTIONS } from './asking.ts';
import { type Command, EXIT, ProgramError, UsageError } from './command.ts';

/** The variable of `startNode.fromEnv` that an option sets. */
const VARIABLES: Readonly<Record<string, string>> = {
  name: 'SNOWMESH_NAME',
  'cookie-file': 'SNOWMESH_COOKIE_FILE',
  discovery: 'SNOWMESH_DISCOVERY',
  listen: 'SNOWMESH_LISTEN',
};

/** `snowmesh start`: runs a program with its node. */
export const startCommand: Command = {
  name: 'start',
  parameters: '<file> [-- argument…]',
  maxArgs: Number.POSITIVE_INFINITY,
  summary: 'run a program with a node, which stops in order on SIGTERM and SIGINT',
  notes: `  export default async (node) => { … }   is called with the started node
  await startNode.fromEnv()              starts it with the same options in a program without a default export`,
  examples: ['snowmesh start app.mjs --name shop@10.0.0.1:9000 --cookie-file ./cookie'],
  options: {
    name: {
      value: 'name',
      summary: 'the name of the node, name@host:port. Default: SNOWMESH_NAME, else a node without a name',
    },
    'cookie-file': ASKING_OPTIONS['cookie-file'],
    discovery: {
      ...ASKING_OPTIONS.discovery,
      summary:
        'how nodes are found: list:…, dns:…, srv:…, file:…, portmap or portmap+embed (docs/operate.md). Default: SNOWMESH_DISCOVERY',
    },
    listen: {
      value: 'address',
      summary: 'the address to listen on, if it is not that of the name: 0.0.0.0:9000 or :9000',
    },
    hidden: { summary: 'start a hidden node, which other nodes neither list nor announce' },
    timeout: { value: 'ms', summary: 'the time limit for an orderly stop, in ms. Default: 10000' },
  },
  async run(given) {
    const [file, ...args] = given.args;
    if (file === undefined) throw new UsageError('name the file of the program');
    const path = resolve(file);
    if (!existsSync(path)) throw new UsageError(`there is no file ${file}`);
    const timeout = given.whole('timeout', 10_000, 0, 2 ** 31 - 1);
    for (const [option, variable] of Object.entries(VARIABLES)) {
      const value = given.text(option);
      if (value !== undefined) process.env[variable] = value;
    }
    if (given.text('cookie-file') !== undefined) delete process.env['SNOWMESH_COOKIE'];
    if (given.flag('hidden')) process.env['SNOWMESH_HIDDEN'] = 'true';
    process.argv.splice(1, process.argv.length, path, ...args);
    const program = await ofProgram(() => import(pathToFileURL(path).href) as Promise<{ default?: unknown }>);
    const main = program.default;
    if (typeof main !== 'function') return EXIT.DONE; // the program continues by itself
    const node = await (await packageOf(path)).startNode.fromEnv();
    node.stopOnSignals({ timeout });
    try {
      await ofProgram(async () => (main as (node: own.Node) => unknown)(node));
    } catch (error) {
      await node.stop({ timeout });
      throw error;
    }
    return EXIT.DONE;
  },
};

/** @throws ProgramError when `work`, which is code of the program, throws. */
async function ofProgram<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new ProgramError('the program failed', { cause: error });
  }
}

/** The copy of snowmesh that the program imports: it cannot use objects of another copy. */
async function packageOf(path: string): Promise<Pick<typeof own, 'startNode'>> {
  const theirs = resolved(path, 'snowmesh/package.json');
  if (theirs === undefined || theirs === resolved(import.meta.url, 'snowmesh/package.json')) return own;
  return (await import(pathToFileURL(resolved(path, 'snowmesh') as string).href)) as typeof own;
}

/** Undefined: a file there cannot import snowmesh. */
function resolved(from: string, what: string): string | undefined {
  try {
    return createRequire(from).resolve(what);
  } catch {
    return undefined;
  }
}
