// How public functions are walked with arguments of wrong types: rows say what each argument accepts; everything else must be refused
// at once with one coded error.
import { expect } from 'vitest';
import { ERRORS, SnowmeshError } from '../../../ts/index.ts';

// biome-ignore lint/suspicious/noExplicitAny: what is wrong has no type
// oxlint-disable-next-line typescript/no-explicit-any -- what is wrong has no type
export type Wrong = any;

export const WRONG = {
  undefined: () => undefined,
  null: () => null,
  5: () => 5,
  text: () => 'text',
  '{}': () => ({}),
  promise: () => Promise.resolve(),
} as const;
export type Label = keyof typeof WRONG;
export const LABELS = Object.keys(WRONG).map((label) => (label === '5' ? 5 : label)) as Label[];
/** Values that have no text, or none in JSON: an error that shows one must not fail itself. */
const TEXTLESS = {
  'without a prototype': () => Object.create(null),
  'a bigint': () => 1n,
  'a symbol': () => Symbol('symbol'),
  'a list of a symbol': () => [Symbol('symbol')],
  'a list of a bigint': () => [1n],
  'a circle': () => {
    const circle: Wrong = {};
    circle.self = circle;
    return circle;
  },
} as const;
/** What any message, reason or state may be. */
export const SENDABLE: readonly Label[] = ['undefined', 'null', 5, 'text', '{}'];
/** Options may be left out. */
export const OPTIONAL: readonly Label[] = ['undefined', '{}'];

/** One argument of a function: `call` gives it. `accepts`: what is documented to be fine there. */
export type Row<S> = readonly [
  name: string,
  call: (stage: S, given: Wrong) => unknown,
  accepts?: readonly Label[],
];
/** Options that do not exist. */
export type Misspelt<S> = readonly [what: string, call: (stage: S) => unknown];

/** One case of a walk. */
export interface Case<S> {
  readonly name: string;
  readonly of: string;
  readonly label: Label | keyof typeof TEXTLESS;
  judge(stage: S): Promise<void>;
}

/** Every kind of value in the place of every argument. */
export function casesOf<S>(rows: readonly Row<S>[]): Case<S>[] {
  return rows.flatMap(([name, call, accepts = []]): Case<S>[] => {
    const of = String(call).replace(/^.*=> /, '');
    const cases = LABELS.map((label): Case<S> => {
      const judge = async (stage: S): Promise<void> => {
        const run = (): unknown => call(stage, WRONG[label]());
        if (accepts.includes(label)) await mustAccept(run);
        else await mustRefuse(run);
      };
      return { name, of, label, judge };
    });
    const textless = Object.entries(TEXTLESS).map(([label, make]): Case<S> => {
      const judge = async (stage: S): Promise<void> => {
        const made = await outcome(() => call(stage, make()));
        expect(made).not.toBeInstanceOf(TypeError);
      };
      return { name, of, label: label as keyof typeof TEXTLESS, judge };
    });
    return [...cases, ...textless];
  });
}

/** A class and those that it extends. */
export function chainOf(type: object): Wrong[] {
  const chain: object[] = [];
  for (let one = type; one !== Object.getPrototypeOf(Function); one = Object.getPrototypeOf(one))
    chain.push(one);
  return chain;
}

/** The public methods of a class. */
export function methodsOf(type: { prototype: object }): string[] {
  return Object.entries(Object.getOwnPropertyDescriptors(type.prototype))
    .filter(([name, { value }]) => typeof value === 'function' && name !== 'constructor')
    .map(([name]) => name);
}

export function labelOf(given: unknown): Label {
  return LABELS.find((label) => {
    const value = WRONG[label]();
    return value === given || (label === '{}' && isEmpty(given));
  }) as Label;
}

function isEmpty(given: unknown): boolean {
  if (typeof given !== 'object' || given === null || given instanceof Promise) return false;
  return !Array.isArray(given) && Object.keys(given).length === 0;
}

/** What came of a call: its value, an error, at once or as a rejection, or `pending`. */
async function outcome(call: () => unknown): Promise<unknown> {
  try {
    const made = call();
    if (!(made instanceof Promise)) return made;
    return await Promise.race([made, turns(5)]);
  } catch (error) {
    return error;
  }
}

/** Turns of the event loop, in which an error that waits for nothing else comes. */
async function turns(count: number): Promise<string> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => void setImmediate(resolve));
  return 'pending';
}

export async function mustRefuse(call: () => unknown): Promise<SnowmeshError> {
  const refused = await outcome(call);
  expect(refused).toBeInstanceOf(SnowmeshError);
  expect(ERRORS).toHaveProperty((refused as SnowmeshError).code);
  return refused as SnowmeshError;
}

/** Fine: it does not throw, or it fails for a reason that is not its type. */
async function mustAccept(call: () => unknown): Promise<void> {
  const made = await outcome(call);
  if (made instanceof Error) {
    expect(made).toBeInstanceOf(SnowmeshError);
    expect((made as SnowmeshError).code).not.toMatch(/BAD_(OPTION|ARGUMENT|DEST|TIME|MATCH|CALLER)/);
  }
}
