import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Command, EXIT, JSON_OPTION } from './command.ts';
import { packageFolder } from './package-folder.ts';

/** `snowmesh build-native`: for platforms without a prebuilt addon. */
export const buildNativeCommand: Command = {
  name: 'build-native',
  summary: 'build the native addon of this package from its Rust sources; needs Rust 1.88 or newer',
  examples: ['snowmesh build-native', 'snowmesh build-native --force'],
  options: {
    force: { summary: 'build even if the addon is newer than its sources' },
    json: JSON_OPTION,
  },
  async run(given, terminal) {
    const folder = packageFolder();
    const script = folder && join(folder, 'scripts/build-native.mjs');
    if (folder === undefined || script === undefined || !existsSync(script))
      throw new Error(
        'the sources of the addon are missing: run this command from the installed package, not from a bundle',
      );
    const args = given.flag('force') ? [script, '--force'] : [script];
    const child = spawn(process.execPath, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const output of [child.stdout, child.stderr])
      output.setEncoding('utf8').on('data', (text: string) => terminal.err(text));
    const [code] = (await once(child, 'close')) as [number | null];
    const addon = join(folder, 'build/Release/snowmesh.node');
    if (code !== 0) throw new Error('the build failed; its output is above');
    terminal.out(given.flag('json') ? `${JSON.stringify({ addon })}\n` : `built ${addon}\n`);
    return EXIT.DONE;
  },
};
