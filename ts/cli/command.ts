// The type of a command: its name, options and help are data, so that help, completion and parsing agree.
import { parseArgs } from 'node:util';
import { nearestName } from '../errors/index.ts';
import type { Terminal } from './terminal.ts';

/** Exit codes. */
export const EXIT = {
  DONE: 0,
  /** The requested node, actor or file does not exist, or a check failed. */
  FAILED: 1,
  USAGE: 2,
  /** No connection to the node, or no answer from it. */
  UNREACHABLE: 3,
} as const;

export interface Option {
  /** What it does, for help and completion: lower case, without a full stop, units and default named. */
  readonly summary: string;
  /** The placeholder of its value in help; undefined: it has no value. */
  readonly value?: string;
  /** The allowed values, for completion and checks. */
  readonly choices?: readonly string[];
}

export interface Command {
  readonly name: string;
  /** Its arguments in help. */
  readonly parameters?: string;
  /** The most arguments. Default: none. */
  readonly maxArgs?: number;
  /** What the command does, for help: an imperative, lower case, without a full stop. */
  readonly summary: string;
  /** Text below the options in help. */
  readonly notes?: string;
  /** Command lines for help. */
  readonly examples: readonly string[];
  readonly options: Readonly<Record<string, Option>>;
  run(given: Given, terminal: Terminal): Promise<number>;
}

/** An invalid command line: the command exits with 2. */
export class UsageError extends Error {}

/** No connection, or no answer: the command exits with 3. */
export class UnreachableError extends Error {
  /** Why there is no connection, in a word of `connectFailure`; undefined: there is one. */
  readonly why: string | undefined;

  constructor(
    message: string,
    { why, ...options }: ErrorOptions & { readonly why?: string | undefined } = {},
  ) {
    super(message, options);
    this.why = why;
  }
}

/** The program of `start` failed. Its error, the cause, ends the process as if the program ran without the command: with its stack. */
export class ProgramError extends Error {}

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
    throw new UsageError(`--${option} ${text}: it must be a whole number from ${least} to ${most}`);
  }
}

export const HELP: Option = { summary: 'show this help' };
export const JSON_OPTION: Option = {
  summary: 'print one JSON value per line, and errors as JSON on standard error',
};

/** Parses a command line. @throws UsageError for an unknown option, a missing or wrong value, too many arguments. */
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
    const [text, option] = /^Unknown option '--([^']*)'/.exec((error as Error).message) ?? [];
    if (option !== undefined) throw new UsageError(`${text}${meant(option, Object.keys(options), '--')}`);
    throw new UsageError((error as Error).message.replace(/\. To specify a positional.*$/s, ''));
  }
  if (given.flag('help')) return given;
  const { maxArgs = 0 } = command;
  if (given.args.length > maxArgs) throw new UsageError(`unexpected argument: ${given.args[maxArgs]}`);
  for (const [name, { choices }] of Object.entries(command.options)) {
    const value = given.text(name);
    if (value !== undefined && choices !== undefined && !choices.includes(value))
      throw new UsageError(`--${name} ${value}: it must be one of ${choices.join(', ')}`);
  }
  return given;
}

/** The word that was probably meant, as the end of an error. */
export function meant(word: string, known: readonly string[], prefix = ''): string {
  const near = nearestName(word, known);
  return near === undefined ? '' : `; did you mean ${prefix}${near}?`;
}

/** The help of one command. */
export function helpOf({ name, parameters, summary, options, notes, examples }: Command): string {
  const rows = Object.entries({ ...options, help: HELP }).map(([option, { value, summary: about }]) => [
    `--${option}${value === undefined ? '' : ` ${value}`}`,
    about,
  ]);
  const width = Math.max(...rows.map(([left = '']) => left.length));
  const lines = rows.map(([left = '', right]) => `  ${left.padEnd(width)}   ${right}`);
  const usage = `Usage: snowmesh ${name}${parameters === undefined ? '' : ` ${parameters}`} [options]`;
  const shown = examples.map((example) => `  ${example}\n`).join('');
  return `${usage}\n\n${summary}\n\nOptions:\n${lines.join('\n')}\n${notes === undefined ? '' : `\n${notes}\n`}\nExamples:\n${shown}`;
}
