import { constants, type FSWatcher, watch } from 'node:fs';
import { open } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { checkOptionNames, type OptionNames } from '../errors/index.ts';
import { type Discovery, type DiscoveryListener, demand, isNodeName } from './discovery.ts';
import { POLLING_OPTIONS, Polling, type PollingOptions } from './polling.ts';

/** Longest file that is read. Unit: bytes. */
export const MAX_FILE_BYTES = 1024 * 1024;

/** Which file holds the nodes. */
export interface FileOptions extends PollingOptions {
  readonly path: string;
}

/**
 * Finds the nodes listed in a file: one full name a line; `#` begins a comment.
 *
 * The folder is watched, and the file is read every `intervalMs` (default 5000 ms) in case the watch misses something. Replace the
 * file by renaming another over it: what is half written may be read. While the file is missing, or holds a line that is
 * no name, what was found before still holds.
 *
 * @returns a discovery for the option `discovery` of one node. It fails with SNOW_ERR_DISCOVERY: file missing (told once),
 * not readable, longer than 1 MiB, more than 4096 names, a bad line (told with its number).
 * @throws SNOW_ERR_BAD_OPTION for options that make no sense.
 * @example
 * fileDiscovery({ path: '/etc/shop/nodes' });
 */
export function fileDiscovery(options: FileOptions): Discovery {
  checkOptionNames('fileDiscovery', options, FILE_OPTIONS);
  demand(typeof options.path === 'string' && options.path !== '', 'path', options.path, 'the path of a file');
  return new FileDiscovery(options);
}

const FILE_OPTIONS: OptionNames<FileOptions> = { ...POLLING_OPTIONS, path: true };

class FileDiscovery implements Discovery {
  readonly #path: string;
  readonly #polling: Polling;
  #watcher: FSWatcher | undefined;

  constructor(options: FileOptions) {
    this.#path = resolve(options.path);
    const look = (): Promise<string[]> => {
      this.#watch();
      return read(this.#path);
    };
    this.#polling = new Polling({ look, what: `the file ${this.#path}`, backsOff: false }, options);
  }

  start(listener: DiscoveryListener): void {
    this.#polling.start(listener);
  }

  stop(): void {
    this.#polling.stop();
    this.#unwatch();
  }

  /** The folder, since a file that is replaced is another file. Without a watch (no such folder yet) there is the interval. */
  #watch(): void {
    if (this.#watcher !== undefined) return;
    const name = basename(this.#path);
    try {
      const watcher = watch(dirname(this.#path), { persistent: false }, (event, changed) => {
        if (changed === null || changed === name) this.#polling.hurry();
        // The folder itself was moved or deleted: this watch will tell nothing more.
        else if (event === 'rename' && changed === basename(dirname(this.#path))) this.#unwatch();
      });
      watcher.on('error', () => this.#unwatch());
      this.#watcher = watcher;
    } catch {
      this.#watcher = undefined;
    }
  }

  #unwatch(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
  }
}

/** Without waiting for a writer, should it be a pipe. */
const READ_ONLY = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

async function read(path: string): Promise<string[]> {
  const file = await open(path, READ_ONLY);
  try {
    const facts = await file.stat();
    if (!facts.isFile()) throw new Error('it is no file');
    if (facts.size > MAX_FILE_BYTES) throw new Error(`it is longer than ${MAX_FILE_BYTES} bytes`);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(facts.size + 1), 0, facts.size + 1, 0);
    return parse(buffer.toString('utf8', 0, bytesRead));
  } finally {
    await file.close();
  }
}

/** The names in the text of such a file. Throws at the first line that is no name. */
export function parse(text: string): string[] {
  const names: string[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const name = (line.split('#')[0] ?? '').trim(); // trims a byte order mark and \r as well
    if (name === '') continue;
    if (!isNodeName(name))
      throw new Error(`line ${index + 1} is no node name: ${JSON.stringify(name.slice(0, 80))}`);
    names.push(name);
  }
  return names;
}
