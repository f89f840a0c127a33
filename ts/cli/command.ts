// What a command is: its name, options and help as data, so that help, completion and parsing cannot disagree.
import { parseArgs } from 'node:util';
import type { Terminal } from './terminal.ts';

/** What a command line ends with. */
export const EXIT = {
  DONE: 0,
  /** What was asked for is not there, or a check failed. */
  FAILED: 1,
  USAGE: 2,
  /** No connection to the node, or no answer from it. */
  UNREACHABLE: 3,
} as const;

export interface Option {
  readonly says: string;
  /** What its value stands for, as help shows it; undefined: it takes none. */
  readonly value?: string;
  /** The values that there are, for completion and checks. */
  readonly choices?: readonly string[];
}

export interface Command {
  readonly name: string;
  /** Its arguments as help shows them. */
  readonly takes?: string;
  /** Arguments from the first on; more are an error. Default: none. */
  readonly most?: number;
  readonly says: string;
  /** What help adds below the options. */
  readonly more?: string;
  readonly options: Readonly<Record<string, Option>>;
  run(given: Given, terminal: Terminal): Promise<number>;
}

/** A command line that makes no sense: the command ends with 2. */
export class UsageError extends Error {}

/** No connection, or no answer: the command ends with 3. */
export class UnreachableError extends Error {}

/** Options and arguments of one command line. */
export class Given {
  readonly args: readonly string[];
  readonly #values: Readonly<Record<string, string | boolean | undefined>>;

  constructor(args: readonly string[], values: Readonly<Record<string, string | boolean | undefined>>) {
    this.args = args;
    this.#values = values;
  }

  text(option: string): string | undefined {
    const value = this.#values[option];
    return typeof value === 'string' ? value : undefined;
  }

  flag(option: string): boolean {
    return this.#values[option] === true;
  }

  /** @throws UsageError when it is not a whole number from `least` to `most`. */
  whole(option: string, fallback: number, least: number, most: number): number {
    const text = this.text(option);
    if (text === undefined) return fallback;
    if (/^\d{1,10}$/.test(text) && Number(text) >= least && Number(text) <= most) return Number(text);
    throw new UsageError(`--${option} ${text}: not a whole number from ${least} to ${most}`);
  }
}

export const HELP: Option = { says: 'show this' };
export const JSON_OPTION: Option = { says: 'print JSON, and errors as JSON, too' };

/** @throws UsageError for an unknown option, a missing or wrong value, too many arguments. */
export function parse(command: Command, line: readonly string[]): Given {
  const options = Object.fromEntries(
    Object.entries({ ...command.options, help: HELP }).map(([name, { value }]) => [
      name,
      {
        type: value === undefined ? ('boolean' as const) : ('string' as const),
        ...(name === 'help' ? { short: 'h' } : {}),
      },
    ]),
  );
  let given: Given;
  try {
    const { values, positionals } = parseArgs({ args: [...line], options, allowPositionals: true });
    given = new Given(positionals, values as Record<string, string | boolean | undefined>);
  } catch (error) {
    throw new UsageError((error as Error).message.replace(/\. To specify a positional.*$/s, ''));
  }
  if (given.flag('help')) return given;
  const { most = 0 } = command;
  if (given.args.length > most) throw new UsageError(`unexpected argument: ${given.args[most]}`);
  for (const [name, { choices }] of Object.entries(command.options)) {
    const value = given.text(name);
    if (value !== undefined && choices !== undefined && !choices.includes(value))
      throw new UsageError(`--${name} ${value}: it must be ${choices.join(', ')}`);
  }
  return given;
}

/** The help of one command. */
export function helpOf({ name, takes, says, options, more }: Command): string {
  const rows = Object.entries({ ...options, help: HELP }).map(([option, { value, says: about }]) => [
    `--${option}${value === undefined ? '' : ` ${value}`}`,
    about,
  ]);
  const width = Math.max(...rows.map(([left = '']) => left.length));
  const lines = rows.map(([left = '', right]) => `  ${left.padEnd(width)}   ${right}`);
  const usage = `Usage: snowmesh ${name}${takes === undefined ? '' : ` ${takes}`} [options]`;
  return `${usage}\n\n${says}\n\n${lines.join('\n')}\n${more === undefined ? '' : `\n${more}\n`}`;
}
