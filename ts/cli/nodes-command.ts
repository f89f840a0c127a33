import type { NodeOverview } from '../introspect/index.ts';
import { ASKING_OPTIONS, type Asked, asking, overviewOf } from './asking.ts';
import { type Command, EXIT } from './command.ts';
import { age, bytes, printable, sum, table } from './text.ts';

/** Most peers that are queried at the same time. */
const AT_ONCE = 8;

/** `snowmesh nodes`: lists a node and its peers, with the figures that each reports. */
export const nodesCommand: Command = {
  name: 'nodes',
  summary: 'list the nodes of the cluster with their figures',
  notes: '  if a node does not answer, the exit code is 1',
  examples: ['snowmesh nodes --node shop@10.0.0.1:9000 --cookie-file ./cookie'],
  options: {
    ...ASKING_OPTIONS,
    hidden: { summary: 'list hidden nodes, too' },
    names: { summary: 'print only the names, without connecting to each node' },
  },
  async run(given, terminal) {
    return asking(given, terminal, async (asked) => {
      const sessions = (await asked.view.sessions()).filter(({ node }) => node !== asked.node.name);
      const peers = sessions.filter(({ hidden }) => given.flag('hidden') || !hidden).map(({ node }) => node);
      const names = [asked.name, ...peers.toSorted()];
      if (given.flag('names')) {
        terminal.out(
          given.flag('json') ? `${JSON.stringify(names)}\n` : names.map((name) => `${name}\n`).join(''),
        );
        return EXIT.DONE;
      }
      const stalled = new Set(sessions.filter((each) => each.stalled).map(({ node }) => node));
      const lines = await lookAt(names, stalled, asked);
      if (given.flag('json')) terminal.out(`${JSON.stringify(lines)}\n`);
      else terminal.out(table(HEADS, lines.map(row)) + problemText(lines));
      return lines.every(({ overview }) => overview !== undefined) ? EXIT.DONE : EXIT.FAILED;
    });
  },
};

const HEADS = ['NODE', 'STATE', 'ACTORS', 'PEERS', 'LOST MESSAGES', 'RSS', 'LOOP P99', 'UP', 'VERSION'];

interface Line {
  readonly node: string;
  readonly overview?: NodeOverview;
  /** Why it did not answer. */
  readonly problem?: string;
}

/** In the order of the names. `stalled`: those whose event loop is known to be blocked. */
async function lookAt(names: readonly string[], stalled: ReadonlySet<string>, asked: Asked): Promise<Line[]> {
  const lines: Line[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    for (let at = next++; at < names.length; at = next++) {
      const name = names[at] as string;
      const found = await line(name, asked);
      const isBlocked = found.overview === undefined && stalled.has(name);
      lines[at] = isBlocked ? { ...found, problem: `its event loop is blocked: ${found.problem}` } : found;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return lines;
}

async function line(name: string, asked: Asked): Promise<Line> {
  const { node, timeout } = asked;
  if (!(await node.connect(name)))
    return { node: name, problem: `no connection to ${name}: ${node.connectFailure(name)?.detail}` };
  try {
    const view = node.introspect(name, { timeout });
    await view.overview(); // begins to measure the event loop
    return { node: name, overview: await overviewOf(asked, view) };
  } catch (error) {
    return { node: name, problem: (error as Error).message };
  }
}

function row({ node, overview }: Line): (string | number)[] {
  if (overview === undefined) return [node, 'no answer', '-', '-', '-', '-', '-', '-', '-'];
  const { isStopping, hidden, actors, peers, deadLetters, memory, loopDelay, uptimeMs, version } = overview;
  return [
    node,
    isStopping ? 'stopping' : hidden ? 'up, hidden' : 'up',
    actors,
    peers,
    sum(deadLetters),
    bytes(memory.rss),
    loopDelay === undefined ? '-' : `${loopDelay.p99} ms`,
    age(uptimeMs),
    version,
  ];
}

/** Why nodes did not answer, below the table. */
function problemText(lines: readonly Line[]): string {
  const rows = lines.flatMap(({ problem }) => (problem === undefined ? [] : [`\n${printable(problem)}`]));
  return rows.length === 0 ? '' : `${rows.join('')}\n`;
}
