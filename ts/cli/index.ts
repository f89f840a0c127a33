// The command `snowmesh`: what one runs on a machine without writing a program.
//
// So far `snowmesh portmap`. A command reads its arguments, says what it does in one line, and gives an exit code; what it
// starts is the business of the rooms below.
//
// Guarantees: an unknown command or option explains itself on standard error and ends with 2. Must not know: how nodes,
// port mappers, … work.
import { runPortmap } from './portmap-command.ts';
import type { Terminal } from './terminal.ts';
import { version } from './version.ts';

export type { Terminal } from './terminal.ts';

const USAGE = `Usage: snowmesh <command>

  portmap [--port n] [--host address]   run a port mapper (default 127.0.0.1:4370)
  help                                  show this
  --version                             show the version
`;

/** Runs one command line; gives the exit code once the command has ended. */
export async function runCommand(args: readonly string[], terminal: Terminal): Promise<number> {
  const [command, ...rest] = args;
  if (command === 'portmap') return runPortmap(rest, terminal);
  if (command === 'help' || command === '--help' || command === '-h') {
    terminal.out(USAGE);
    return 0;
  }
  if (command === '--version' || command === '-v') {
    terminal.out(`${version()}\n`);
    return 0;
  }
  terminal.err(command === undefined ? USAGE : `snowmesh: no such command: ${command}\n\n${USAGE}`);
  return 2;
}
