// The command `snowmesh`: starts programs, inspects a cluster and checks a machine from a shell.
//
// commands.ts lists the commands. Each command has its own file, reads its options, and returns an exit code. Those that inspect a cluster
// join it as a hidden node (asking.ts) and send the queries of ts/introspect.
//
// Guarantees: every command has --help; an unknown command or option is explained on standard error, with exit code 2; with --json a command
// prints one JSON value per line. Must not know: how nodes, port mappers, … work.
import { SnowmeshError } from '../errors/index.ts';
import {
  type Command,
  EXIT,
  helpOf,
  meant,
  ProgramError,
  parse,
  UnreachableError,
  UsageError,
} from './command.ts';
import { COMMANDS } from './commands.ts';
import { version } from './package-folder.ts';
import type { Terminal } from './terminal.ts';

export type { Terminal } from './terminal.ts';

/** Runs one command line. Resolves to the exit code when the command has ended; rejects with what the program of `start` threw. */
export async function runCommand(line: readonly string[], terminal: Terminal): Promise<number> {
  const [name, ...rest] = line;
  if (name === '--version' || name === '-v') {
    terminal.out(`${version()}\n`);
    return EXIT.DONE;
  }
  if (name === 'help' || name === '--help' || name === '-h') {
    const about = COMMANDS.find((each) => each.name === rest[0]);
    terminal.out(about === undefined ? overview() : helpOf(about));
    return EXIT.DONE;
  }
  const command = COMMANDS.find((each) => each.name === name);
  if (command !== undefined) return run(command, rest, terminal);
  const names = COMMANDS.map((each) => each.name);
  const wrong = name === undefined ? '' : `snowmesh: there is no command ${name}${meant(name, names)}\n\n`;
  terminal.err(`${wrong}${overview()}`);
  return EXIT.USAGE;
}

async function run(command: Command, line: readonly string[], terminal: Terminal): Promise<number> {
  try {
    const given = parse(command, line);
    if (!given.flag('help')) return await command.run(given, terminal);
    terminal.out(helpOf(command));
    return EXIT.DONE;
  } catch (error) {
    if (error instanceof ProgramError) throw error.cause;
    const { message, cause } = error as Error;
    // Errors of the command line and of the connection name their origin, which has the code.
    const origin = error instanceof SnowmeshError ? error : cause;
    const code = origin instanceof SnowmeshError ? origin.code : undefined;
    const why = error instanceof UnreachableError ? error.why : undefined;
    if (line.includes('--json')) terminal.err(`${JSON.stringify({ error: { code, why, message } })}\n`);
    else
      terminal.err(
        `snowmesh ${command.name}: ${message}${error instanceof UsageError ? hint(command) : ''}\n`,
      );
    if (error instanceof UsageError) return EXIT.USAGE;
    return error instanceof UnreachableError ? EXIT.UNREACHABLE : EXIT.FAILED;
  }
}

function hint({ name }: Command): string {
  return `\nsee: snowmesh ${name} --help`;
}

function overview(): string {
  const rows = COMMANDS.map(({ name, parameters, summary }) => [
    parameters === undefined ? name : `${name} ${parameters}`,
    summary,
  ]);
  rows.push(
    ['help [command]', 'show this help, or the help of a command'],
    ['--version', 'print the version'],
  );
  const width = Math.max(...rows.map(([left = '']) => left.length));
  const lines = rows.map(([left = '', right]) => `  ${left.padEnd(width)}   ${right}`);
  return `Usage: snowmesh <command> [options]\n\n${lines.join('\n')}\n`;
}
