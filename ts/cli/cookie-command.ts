import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { type Command, EXIT, JSON_OPTION } from './command.ts';

/** The length of a cookie before it is encoded in base64. */
const COOKIE_BYTES = 32;

/** `snowmesh cookie`: generates a cookie. */
export const cookieCommand: Command = {
  name: 'cookie',
  parameters: '[file]',
  maxArgs: 1,
  summary:
    'create a cookie, the secret of a cluster: print it, or write it to a new file that only you can read',
  examples: ['snowmesh cookie ./cookie'],
  options: { json: JSON_OPTION },
  async run(given, terminal) {
    const cookie = randomBytes(COOKIE_BYTES).toString('base64');
    const [file] = given.args;
    const isJson = given.flag('json');
    if (file === undefined) {
      terminal.out(isJson ? `${JSON.stringify({ cookie })}\n` : `${cookie}\n`);
      return EXIT.DONE;
    }
    try {
      writeFileSync(file, `${cookie}\n`, { mode: 0o600, flag: 'wx' });
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      const why = code === 'EEXIST' ? `${file} exists: remove it first to create another cookie` : message;
      throw new Error(why, { cause: error });
    }
    terminal.out(isJson ? `${JSON.stringify({ file })}\n` : `wrote ${file}\n`);
    return EXIT.DONE;
  },
};
