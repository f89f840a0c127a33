import { inspect } from 'node:util';
import { SnowmeshError } from '../errors/index.ts';
import { copyTerm, Pid, Ref } from '../term/index.ts';
import type { CrashReason, ErrorReason, ExitReason, NoCatchReason } from './exit-reason.ts';

/** The error that `self.exit` throws to leave the actor's code. It is not a crash. */
export class Leave extends SnowmeshError {
  /** The actor whose code it leaves. */
  readonly pid: Pid;
  /** The reason that was given to `self.exit`; undefined: the actor was ending already. */
  readonly reason: ExitReason;

  constructor(pid: Pid, reason?: ExitReason) {
    super(
      'SNOW_ERR_ACTOR_DEAD',
      'This actor has ended; the throw leaves its code. Let it pass. In a callback of Node.js, where nothing catches it, end the actor with self.runtime.sendExit(self.pid, reason) instead.',
    );
    this.pid = pid;
    this.reason = reason;
  }
}

/** Whether `thrown` is a {@link Leave}, of whatever actor. Never throws: `instanceof` does for a revoked Proxy. */
export function isLeave(thrown: unknown): thrown is Leave {
  try {
    return thrown instanceof Leave;
  } catch {
    return false;
  }
}

/** The exit reason for a thrown value. It can always be sent in a message (A3). */
export function crashReason(thrown: unknown): CrashReason {
  try {
    return thrown instanceof Error ? errorReason(thrown) : freeze(copyTerm(noCatch(thrown)));
  } catch {
    // The value cannot be copied as a term, or a getter threw.
    return noCatch(text(thrown));
  }
}

function errorReason(thrown: Error): CrashReason {
  const { name, message, code } = thrown as Error & { code?: unknown };
  const error = { name: text(name), message: text(message) };
  const isCode = typeof code === 'string' || typeof code === 'number';
  const full = isCode ? { ...error, code: typeof code === 'string' ? text(code) : code } : error;
  const reason = { error: Object.freeze(full) } as { error: ErrorReason['error']; stack: string };
  Object.defineProperty(reason, 'stack', STACK);
  Object.defineProperty(reason, inspect.custom, INSPECTED);
  void new LazyStack(reason, thrown);
  return Object.freeze(reason);
}

/** A class whose instance is the object that it gets: a subclass adds its private fields to that object. */
const Adopter = function adopt(adopted: object): object {
  return adopted;
} as unknown as new (
  adopted: object,
) => object;

/**
 * The stack of a crash, as private fields of the plain object that is its reason. It is formatted when it is first read: formatting
 * takes longer than the rest of a crash.
 */
class LazyStack extends Adopter {
  #thrown: Error | undefined;
  #stack = '';

  constructor(reason: object, thrown: Error) {
    super(reason);
    this.#thrown = thrown;
  }

  /** Whether `value` is the reason of a thrown error. These are frozen deeply. */
  static isIn(value: object): boolean {
    return #thrown in value;
  }

  static read(reason: object): string {
    if (!(#thrown in reason)) return ''; // an object that inherits from a reason
    if (reason.#thrown !== undefined) {
      reason.#stack = stackOf(reason.#thrown);
      reason.#thrown = undefined;
    }
    return reason.#stack;
  }
}

/** One getter for all reasons: with one for each, V8 makes a hidden class for each, and freezing takes five times as long. */
const STACK: PropertyDescriptor = {
  get(this: object) {
    return LazyStack.read(this);
  },
  enumerable: true,
  configurable: true,
};

/** console.log prints the stack as text and not as a getter. */
const INSPECTED: PropertyDescriptor = {
  value(this: ErrorReason) {
    return { error: this.error, stack: this.stack };
  },
};

function stackOf(thrown: Error): string {
  try {
    return text(thrown.stack);
  } catch {
    return '';
  }
}

function noCatch(thrown: unknown): CrashReason {
  return { nocatch: thrown as NoCatchReason['nocatch'], stack: '' };
}

/** A frozen copy of an exit reason that user code passed: changing the original has no effect. Throws SNOW_ERR_UNSENDABLE. */
export function copyReason(reason: ExitReason): ExitReason {
  return freeze(copyTerm(reason));
}

/** Deeply frozen values that are no reasons of thrown errors. */
const constant = new WeakSet<object>();

/**
 * Returns a function that gives each receiver of an exit reason its value: the reason itself when it can be frozen deeply,
 * otherwise a copy, so that no receiver can change it for the others. Freezes the reason. O(size of the reason); each call, too,
 * when the reason holds a Map, a Set, a Date, bytes or an error.
 */
export function reasonPerReceiver(reason: ExitReason): () => ExitReason {
  if (typeof reason !== 'object' || reason === null || freezeInside(reason)) return () => reason;
  return () => freeze(copyTerm(reason));
}

function freeze<R>(reason: R): R {
  freezeInside(reason);
  return reason;
}

/** Freezes plain objects and arrays, deeply. True: nothing inside can change any more. */
function freezeInside(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || value instanceof Pid || value instanceof Ref)
    return true;
  if (LazyStack.isIn(value) || constant.has(value)) return true;
  if (!Array.isArray(value) && Object.getPrototypeOf(value) !== Object.prototype) return false;
  let isConstant = true;
  for (const part of Object.values(value)) if (!freezeInside(part)) isConstant = false;
  Object.freeze(value);
  if (isConstant) constant.add(value);
  return isConstant;
}

function text(value: unknown): string {
  try {
    const string = String(value);
    return string.isWellFormed() ? string : string.toWellFormed();
  } catch {
    return typeof value;
  }
}
