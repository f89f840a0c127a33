import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { type Command, EXIT, JSON_OPTION } from './command.ts';

/** As many as `openssl rand -base64 32`. */
const COOKIE_BYTES = 32;

/** `snowmesh cookie`: generates a cookie. */
export const cookieCommand: Command = {
  name: 'cookie',
  parameters: '[file]',
  maxArgs: 1,
  summary: 'make a cookie: print it, or write it into a new file that only you can read',
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
      const why = code === 'EEXIST' ? `${file} exists; remove it first to make another cookie` : message;
      throw new Error(why, { cause: error });
    }
    terminal.out(isJson ? `${JSON.stringify({ file })}\n` : `wrote ${file}\n`);
    return EXIT.DONE;
  },
};
