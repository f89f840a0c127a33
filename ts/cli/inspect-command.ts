import type { CrashInfo, NodeOverview, ProcessInfo, SessionInfo } from '../introspect/index.ts';
import type { Pid } from '../term/index.ts';
import { ASKING_OPTIONS, type Asked, asking, jsonOf, overviewOf, pidOf, pidText } from './asking.ts';
import { type Command, EXIT } from './command.ts';
import { age, bytes, facts, table } from './text.ts';

/** Most crashes that are printed. */
const CRASHES = 10;

/** `snowmesh inspect`: shows a node, or one of its actors. */
export const inspectCommand: Command = {
  name: 'inspect',
  parameters: '[pid|name]',
  maxArgs: 1,
  summary: 'show a node with its connections and last crashes, or one of its actors',
  notes: '  an actor is named by its PID (<0.17> or 17) or by its local name',
  examples: [
    'snowmesh inspect --node shop@10.0.0.1:9000 --cookie-file ./cookie',
    'snowmesh inspect printer --node shop@10.0.0.1:9000 --cookie-file ./cookie',
  ],
  options: ASKING_OPTIONS,
  async run(given, terminal) {
    return asking(given, terminal, async (asked) => {
      const isJson = given.flag('json');
      const [which] = given.args;
      if (which === undefined) {
        const overview = await overviewOf(asked, asked.view);
        const sessions = (await asked.view.sessions()).filter(({ node }) => node !== asked.node.name);
        const { items: lastCrashes } = await asked.view.crashes();
        terminal.out(
          isJson
            ? jsonOf(asked, { ...overview, sessions, lastCrashes })
            : nodeText(overview, sessions) + crashText(lastCrashes, overview.clock),
        );
        return EXIT.DONE;
      }
      const info =
        (await asked.view.processInfo(which)) ?? (await infoByPid(asked, await pidOf(asked, which)));
      if (info === undefined) throw new Error(`${asked.name} has no actor ${which}`);
      terminal.out(isJson ? jsonOf(asked, info) : actorText(asked, info));
      return EXIT.DONE;
    });
  },
};

async function infoByPid({ view }: Asked, pid: Pid | undefined): Promise<ProcessInfo | undefined> {
  return pid && view.processInfo(pid as Pid<never>);
}

function nodeText(overview: NodeOverview, sessions: readonly SessionInfo[]): string {
  const { loopDelay, deadLetters, stalledPeers } = overview;
  const lost = Object.entries(deadLetters).filter(([, times]) => times > 0);
  const text = facts([
    [
      'node',
      `${overview.node}${overview.hidden ? ' (hidden)' : ''}${overview.isStopping ? ', stopping' : ''}`,
    ],
    [
      'runs',
      `snowmesh ${overview.version} on ${overview.platform}, process ${overview.osPid}, up ${age(overview.uptimeMs)}`,
    ],
    [
      'actors',
      `${overview.actors}, of them ${overview.supervisors} supervisors; ${overview.names} local names`,
    ],
    [
      'memory',
      `${bytes(overview.memory.rss)}, heap ${bytes(overview.memory.heapUsed)} of ${bytes(overview.memory.heapTotal)}`,
    ],
    ['processor', `${age(overview.cpuMs)} since its process began`],
    [
      'event loop',
      loopDelay === undefined
        ? 'measured from now on'
        : `late by ${loopDelay.mean} ms, p99 ${loopDelay.p99}, max ${loopDelay.max}`,
    ],
    [
      'lost messages',
      lost.length === 0 ? 'none' : lost.map(([reason, times]) => `${reason} ${times}`).join(', '),
    ],
    ['crashes', overview.crashes],
    ['stalled peers', stalledPeers.length === 0 ? 'none' : stalledPeers.join(', ')],
  ]);
  const rows = sessions.map((each) => [
    each.node,
    each.stalled ? 'stalled' : each.hidden ? 'up, hidden' : 'up',
    bytes(each.bytesIn),
    bytes(each.bytesOut),
    each.framesIn,
    each.framesOut,
    bytes(each.waiting),
    age(each.silentMs),
  ]);
  if (rows.length === 0) return text;
  return `${text}\n${table(['PEER', 'STATE', 'IN', 'OUT', 'FRAMES IN', 'FRAMES OUT', 'WAITING', 'SILENT'], rows)}`;
}

/** The last entries, newest first. */
function crashText(crashes: readonly CrashInfo[], now: number): string {
  const rows = crashes
    .slice(-CRASHES)
    .toReversed()
    .map(({ at, times, label, reason, stack }) => [
      `${age(Math.max(0, now - at))} ago`,
      times,
      label,
      `${reason} ${stack.split('\n', 1)[0]}`,
    ]);
  return rows.length === 0 ? '' : `\n${table(['LAST', 'TIMES', 'ACTOR', 'CRASHED OF'], rows)}`;
}

function actorText(asked: Asked, info: ProcessInfo): string {
  const show = (pid: Pid): string => pidText(asked, pid);
  const list = (items: readonly string[], total: number): string =>
    total === 0 ? 'none' : `${total}: ${items.join(', ')}${total > items.length ? ', …' : ''}`;
  return facts([
    [
      'actor',
      `${show(info.pid)} ${info.label}${info.names.length === 0 ? '' : `, named ${info.names.join(', ')}`}`,
    ],
    ['state', `${info.state}${info.idleMs === undefined ? '' : `, took no message for ${age(info.idleMs)}`}`],
    ['mailbox', `${info.mailbox}${info.mailboxLimit === undefined ? '' : ` of ${info.mailboxLimit}`}`],
    ['turns', info.turns],
    ['last tag', info.lastTag ?? '-'],
    ['memory', `about ${bytes(info.memory)}`],
    ['kind', `${info.kind}${info.trapsExits ? ', traps exits' : ''}`],
    ['waits for', `${info.calls} calls, ${info.timers} timers`],
    ['links', list(info.links.map(show), info.linkCount)],
    [
      'monitors',
      list(
        info.monitors.map((each) => ('node' in each ? `${each.name} at ${each.node}` : show(each))),
        info.monitorCount,
      ),
    ],
    ['monitored by', list(info.monitoredBy.map(show), info.monitoredByCount)],
    ['ancestors', info.ancestors.length === 0 ? 'none' : info.ancestors.map(show).join(' < ')],
  ]);
}
