import { buildNativeCommand } from './build-native-command.ts';
import type { Command } from './command.ts';
import { EXIT, UsageError } from './command.ts';
import { bashCompletion, zshCompletion } from './completion.ts';
import { cookieCommand } from './cookie-command.ts';
import { doctorCommand } from './doctor-command.ts';
import { inspectCommand } from './inspect-command.ts';
import { nodesCommand } from './nodes-command.ts';
import { observeCommand } from './observe-command.ts';
import { pingCommand } from './ping-command.ts';
import { portmapCommand } from './portmap-command.ts';
import { roomsCommand } from './rooms-command.ts';
import { startCommand } from './start-command.ts';
import { topCommand } from './top-command.ts';
import { treeCommand } from './tree-command.ts';

const completionCommand: Command = {
  name: 'completion',
  parameters: '<bash|zsh>',
  maxArgs: 1,
  summary: 'print a script that completes the commands and options of snowmesh in a shell',
  examples: ['source <(snowmesh completion bash)', 'source <(snowmesh completion zsh)'],
  options: {},
  async run({ args: [shell] }, terminal) {
    if (shell !== 'bash' && shell !== 'zsh') throw new UsageError('name the shell: bash or zsh');
    terminal.out(shell === 'bash' ? bashCompletion(COMMANDS) : zshCompletion(COMMANDS));
    return EXIT.DONE;
  },
};

/** All commands, in the order of the help. */
export const COMMANDS: readonly Command[] = [
  startCommand,
  pingCommand,
  nodesCommand,
  inspectCommand,
  treeCommand,
  roomsCommand,
  topCommand,
  observeCommand,
  doctorCommand,
  cookieCommand,
  portmapCommand,
  buildNativeCommand,
  completionCommand,
];
