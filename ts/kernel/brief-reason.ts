/** Most characters of a reason in an error message; the whole reason is the error's `cause`. */
const MAX_CHARACTERS = 300;

/** Why another node refused to start an actor: the reason `unknown_function`. */
export const NOT_EXPOSED = 'the node exposes no spec of that name; call node.expose(spec) there';

/** An exit reason as short text: a string as it is, a crash as `TypeError: …`. A peer's reason may have any form and size. O(1). */
export function briefReason(reason: unknown): string {
  return shortened(words(reason, 0));
}

function words(reason: unknown, depth: number): string {
  if (typeof reason === 'string') return reason;
  if (typeof reason === 'bigint') return bigint(reason);
  if (typeof reason !== 'object' || reason === null) return String(reason);
  const { error } = reason as { error?: unknown };
  if (typeof error === 'object' && error !== null) {
    const { name, message } = error as { name?: unknown; message?: unknown };
    return `${shortened(textOf(name, 'Error'))}: ${shortened(textOf(message, ''))}`;
  }
  const { shutdown, nocatch } = reason as { shutdown?: unknown; nocatch?: unknown };
  if (shutdown !== undefined)
    return `shutdown (${failedChild(shutdown, depth) ?? briefJson(shutdown, MAX_CHARACTERS)})`;
  if ('nocatch' in reason) return `thrown: ${briefJson(nocatch, MAX_CHARACTERS)}`;
  return briefJson(reason, MAX_CHARACTERS);
}

/** The reason of a supervisor whose child did not start. Undefined: it is another one. */
function failedChild(shutdown: unknown, depth: number): string | undefined {
  if (typeof shutdown !== 'object' || shutdown === null || depth >= MAX_DEPTH) return undefined;
  const { failedToStartChild, reason } = shutdown as { failedToStartChild?: unknown; reason?: unknown };
  if (typeof failedToStartChild !== 'string') return undefined;
  const why = reason === 'unknown_function' ? NOT_EXPOSED : words(reason, depth + 1);
  return `its child ${JSON.stringify(shortened(failedToStartChild))} did not start: ${shortened(why)}`;
}

function textOf(value: unknown, otherwise: string): string {
  return typeof value === 'string' ? value : otherwise;
}

function shortened(text: string): string {
  return text.length <= MAX_CHARACTERS ? text : `${text.slice(0, MAX_CHARACTERS - 1).toWellFormed()}…`;
}

/**
 * A value as JSON of about `characters` characters, without fields called `stack`; `…` replaces the rest. Reads no more of the value
 * than it prints: a peer chooses the size, and printing one bigint of 1 MiB takes seconds. O(characters).
 */
export function briefJson(value: unknown, characters: number): string {
  const printer = new Printer(characters);
  try {
    printer.value(value, 0);
  } catch {
    return '…'; // a getter or toJSON threw
  }
  return printer.text;
}

/**
 * The value itself when it is cheap to print, otherwise {@link briefJson} of it: a logger prints what it gets in full. O(1).
 */
export function printable(value: unknown): unknown {
  return isCheap(value, { left: MAX_VALUES }) ? value : briefJson(value, MAX_LOGGED_CHARACTERS);
}

const MAX_VALUES = 1000;
const MAX_LOGGED_CHARACTERS = 4096;

function isCheap(value: unknown, budget: { left: number }): boolean {
  if (--budget.left < 0) return false;
  if (typeof value === 'bigint') return isShort(value);
  if (typeof value === 'string') {
    budget.left -= value.length >>> 6;
    return budget.left >= 0;
  }
  if (typeof value !== 'object' || value === null) return true;
  if (Array.isArray(value))
    return value.length <= budget.left && value.every((inner) => isCheap(inner, budget));
  if (ArrayBuffer.isView(value)) return value.byteLength <= MAX_VALUES;
  if (value instanceof Map || value instanceof Set)
    return value.size <= budget.left && [...value].every((inner) => isCheap(inner, budget));
  const stack = plainStack(value);
  if (stack !== undefined && !isCheap(stack, budget)) return false;
  for (const key of keysOf(value)) {
    budget.left -= key.length >>> 6;
    if (key !== 'stack' && !isCheap((value as Record<string, unknown>)[key], budget)) return false;
  }
  return true;
}

/** The stack that a peer sent. That of a crash here has a getter, and formats it when it is read: whoever prints it pays for that. */
function plainStack(value: object): unknown {
  const { value: stack } = Object.getOwnPropertyDescriptor(value, 'stack') ?? {};
  return stack;
}

/** Larger bigints are not printed. */
const MAX_BIGINT = 2n ** 256n;
const MAX_DEPTH = 8;

class Printer {
  text = '';
  private readonly limit: number;

  constructor(limit: number) {
    this.limit = limit;
  }

  value(value: unknown, depth: number): void {
    if (typeof value === 'string') this.string(value);
    else if (typeof value === 'bigint') this.text += `"${bigint(value)}n"`;
    else if (typeof value === 'number') this.text += Number.isFinite(value) ? `${value}` : 'null';
    else if (typeof value !== 'object' || value === null) this.text += scalar(value);
    else if (depth >= MAX_DEPTH) this.text += '"…"';
    else if (Array.isArray(value)) this.list(value, depth);
    else this.object(value, depth);
  }

  private object(value: object, depth: number): void {
    const { toJSON } = value as { toJSON?: unknown };
    if (typeof toJSON === 'function' && !ArrayBuffer.isView(value)) {
      this.value(toJSON.call(value), depth + 1);
    } else if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) {
      this.text += `"${value.byteLength} bytes"`;
    } else if (value instanceof Map || value instanceof Set) {
      this.text += `"${value instanceof Map ? 'Map' : 'Set'} of ${value.size}"`;
    } else {
      this.fields(value as Record<string, unknown>, depth);
    }
  }

  private list(list: readonly unknown[], depth: number): void {
    this.text += '[';
    for (let index = 0; index < list.length; index++) {
      if (index > 0) this.text += ',';
      if (this.isFull()) break;
      this.value(list[index], depth + 1);
    }
    this.text += ']';
  }

  private fields(value: Record<string, unknown>, depth: number): void {
    this.text += '{';
    let before = '';
    for (const key of keysOf(value)) {
      if (key === 'stack' || typeof value[key] === 'function') continue;
      if (value[key] === undefined && key !== 'nocatch') continue; // `throw undefined` and `reject()` crash an actor, too
      this.text += before;
      if (this.isFull()) break;
      this.string(key);
      this.text += ':';
      this.value(value[key], depth + 1);
      before = ',';
    }
    this.text += '}';
  }

  private string(text: string): void {
    const left = Math.max(0, this.limit - this.text.length);
    this.text += JSON.stringify(text.length <= left ? text : `${text.slice(0, left).toWellFormed()}…`);
  }

  private isFull(): boolean {
    if (this.text.length < this.limit) return false;
    this.text += '"…"';
    return true;
  }
}

/** What an error says although it is not enumerable. */
const ERROR_KEYS = ['name', 'message', 'cause', 'errors'];

function* keysOf(value: object): Generator<string> {
  const isError = value instanceof Error;
  if (isError) yield* ERROR_KEYS;
  for (const key in value) if (!isError || !ERROR_KEYS.includes(key)) yield key;
}

function scalar(value: unknown): string {
  if (typeof value === 'symbol') return '"a symbol"';
  return typeof value === 'function' ? '"a function"' : `${value as null | undefined | boolean}`;
}

function isShort(value: bigint): boolean {
  return value < MAX_BIGINT && value > -MAX_BIGINT;
}

function bigint(value: bigint): string {
  return isShort(value) ? value.toString() : '(more than 32 bytes)';
}
