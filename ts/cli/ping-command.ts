import { SnowmeshError } from '../errors/index.ts';
import { ASKING_OPTIONS, type Asked, asking } from './asking.ts';
import { type Command, EXIT } from './command.ts';

/** `snowmesh ping`: connects to a node and measures the time until its event loop answers. */
export const pingCommand: Command = {
  name: 'ping',
  parameters: '[node]',
  maxArgs: 1,
  summary: 'connect to a node, and measure how long its event loop takes to answer',
  examples: ['snowmesh ping shop@10.0.0.1:9000 --cookie-file ./cookie'],
  options: {
    ...ASKING_OPTIONS,
    count: { value: 'n', summary: 'the number of pings, from 1 to 1000. Default: 3' },
  },
  async run(given, terminal) {
    const times = given.whole('count', 3, 1, 1000);
    const pingAll = async (asked: Asked): Promise<number> => {
      for (let seq = 1; seq <= times && !terminal.signal.aborted; seq++) {
        const answer = await once(asked);
        if (given.flag('json')) terminal.out(`${JSON.stringify({ node: asked.name, seq, ...answer })}\n`);
        else
          terminal.out(
            `${answer.ms === undefined ? 'connected to' : 'answer of'} ${asked.name}: ${said(answer)}\n`,
          );
        if (answer.ms === undefined) break;
      }
      return EXIT.DONE;
    };
    return asking(given, terminal, pingAll, given.args[0] ?? given.text('node'));
  },
};

interface Answer {
  /** Undefined: introspection is switched off there. */
  readonly ms: number | undefined;
  readonly version?: string;
  readonly platform?: string;
}

async function once({ view }: Asked): Promise<Answer> {
  const began = performance.now();
  try {
    const { version, platform } = await view.overview();
    return { ms: Math.round((performance.now() - began) * 1000) / 1000, version, platform };
  } catch (error) {
    const isOff = error instanceof SnowmeshError && (error.details as { reason?: unknown }).reason === 'off';
    if (isOff) return { ms: undefined };
    throw error;
  }
}

function said({ ms, version, platform }: Answer): string {
  if (ms === undefined) return 'it answers no queries (introspection: false)';
  return `${ms.toFixed(2)} ms (snowmesh ${version}, ${platform})`;
}
