import { kindOf } from './arguments.ts';
import { SnowmeshError } from './snowmesh-error.ts';

/** The names of all options of `T`; the compiler sees to it that none is missing. */
export type OptionNames<T> = Readonly<Record<keyof T, true>>;

/** Some options of `T`. One that is undefined counts as not given. */
export type SomeOf<T> = { readonly [K in keyof T]?: T[K] | undefined };

/** All options of `T`, with values. */
export type AllOf<T> = { readonly [K in keyof T]-?: Exclude<T[K], undefined> };

/** `defaults` with the values of `given` that are not undefined. */
export function withDefaults<T extends object>(defaults: T, given: SomeOf<T> | undefined): T {
  const set = Object.entries(given ?? {}).filter(([, value]) => value !== undefined);
  return { ...defaults, ...Object.fromEntries(set) };
}

/**
 * What is wrong with the names of options. An unknown name would be ignored otherwise, and the default used without a notice.
 *
 * @returns undefined when nothing is; else a sentence without its subject, such as `has no option "nmae"; did you mean "name"?`
 */
export function unknownOption(given: object, known: Readonly<Record<string, true>>): string | undefined {
  for (const key of Object.keys(given)) {
    if (Object.hasOwn(known, key)) continue;
    const near = nearestName(key, Object.keys(known));
    const hint = near === undefined ? `it has ${Object.keys(known).join(', ')}` : `did you mean "${near}"?`;
    return `has no option "${key}"; ${hint}`;
  }
  return undefined;
}

/**
 * Checks that options are an object with known names only.
 *
 * @throws SNOW_ERR_BAD_OPTION naming `what`, the option, and the one that was probably meant.
 */
export function checkOptionNames<T>(what: string, given: T, known: OptionNames<T>): void {
  if (isKnown(given, known)) return;
  const wrong = isOptions(given, known)
    ? unknownOption(given, known)
    : `takes an object of options, not ${instanceText(given)}`;
  if (wrong !== undefined) throw new SnowmeshError('SNOW_ERR_BAD_OPTION', `${what} ${wrong}`);
}

/**
 * Checks that an argument is a node.
 *
 * @throws SNOW_ERR_BAD_OPTION naming `what`.
 */
export function checkHost(what: string, host: { channel?: unknown } | null | undefined): void {
  if (typeof host?.channel === 'function') return;
  throw new SnowmeshError(
    'SNOW_ERR_BAD_OPTION',
    `${what} needs the node that startNode resolved to, not ${kindOf(host)}`,
  );
}

/** Whether every name is known. Allocates nothing: it runs in each receive, call and spawn that is given options. */
function isKnown(given: unknown, known: Readonly<Record<string, unknown>>): boolean {
  if (typeof given !== 'object' || given === null || given instanceof Promise) return false;
  for (const key in given) if (known[key] !== true) return false;
  return true;
}

/** Whether an object was meant as options: a literal, or an instance of a class that has one of them. */
function isOptions(given: unknown, known: Readonly<Record<string, unknown>>): given is object {
  if (typeof given !== 'object' || given === null) return false;
  const prototype: unknown = Object.getPrototypeOf(given);
  if (prototype === Object.prototype || prototype === null) return true;
  return Object.keys(given).some((key) => Object.hasOwn(known, key));
}

function instanceText(given: unknown): string {
  const kind = kindOf(given);
  return kind === 'an object' ? `an instance of ${(given as object).constructor.name}` : kind;
}

/** The known word with the fewest differing letters, when they are few. */
export function nearestName(word: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  let least = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of known) {
    const away = distance(word.toLowerCase(), candidate.toLowerCase());
    if (away >= least) continue;
    least = away;
    best = candidate;
  }
  return best;
}

/** Letters to insert, drop, replace or swap with their neighbour. */
function distance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let least = Math.min(at(row, j) + 1, at(next, j - 1) + 1, at(row, j - 1) + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        least = Math.min(least, at(before, j - 2) + 1);
      }
      next.push(least);
    }
    before = row;
    row = next;
  }
  return at(row, b.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] as number;
}
