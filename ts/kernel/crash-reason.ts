import { inspect } from 'node:util';
import { SnowmeshError } from '../errors/index.ts';
import { copyTerm, Pid, Ref } from '../term/index.ts';
import type { CrashReason, ExitReason, NoCatchReason } from './exit-reason.ts';

/** Thrown by `self.exit` to leave the actor's code; never a crash. */
export class Leave extends SnowmeshError {
  constructor() {
    super(
      'SNOW_ERR_ACTOR_DEAD',
      'This actor has ended, and leaves its code by this throw. A callback of Node.js does not catch it: end the actor there with self.runtime.sendExit(self.pid, reason).',
    );
  }
}

/** Whether an actor threw this to leave its code. Code may throw things that cannot even be asked what they are. */
export function isLeave(thrown: unknown): boolean {
  try {
    return thrown instanceof Leave;
  } catch {
    return false;
  }
}

/** The exit reason for a thrown value; always a term that can travel (A3). */
export function crashReason(thrown: unknown): CrashReason {
  try {
    return thrown instanceof Error ? errorReason(thrown) : freeze(copyTerm(noCatch(thrown)));
  } catch {
    // It cannot travel, or has getters that throw.
    return noCatch(text(thrown));
  }
}

/** The stack becomes text when it is first read: that takes longer than the rest of a crash. */
function errorReason(thrown: Error): CrashReason {
  const { name, message, code } = thrown as Error & { code?: unknown };
  const error = { name: text(name), message: text(message) };
  const isCode = typeof code === 'string' || typeof code === 'number';
  const full = isCode ? { ...error, code: typeof code === 'string' ? text(code) : code } : error;
  let stack: string | undefined;
  const reason = {
    error: Object.freeze(full),
    get stack() {
      stack ??= stackOf(thrown);
      return stack;
    },
  };
  // So that console.log prints the stack as text and not as a getter.
  Object.defineProperty(reason, inspect.custom, {
    value: () => ({ error: reason.error, stack: reason.stack }),
  });
  constant.add(Object.freeze(reason));
  return reason;
}

function stackOf(thrown: Error): string {
  try {
    return text(thrown.stack);
  } catch {
    return '';
  }
}

function noCatch(thrown: unknown): CrashReason {
  return { nocatch: thrown as NoCatchReason['nocatch'], stack: stackOf(new Error('thrown')) };
}

/** An exit reason given by user code, copied so that a later change does not reach it. Throws SNOW_ERR_UNSENDABLE. */
export function givenReason(reason: ExitReason): ExitReason {
  return freeze(copyTerm(reason));
}

/** Reasons in which nothing can change. */
const constant = new WeakSet<object>();

/**
 * Gives each receiver of an exit reason its value: the reason itself when nothing in it can change, else a copy, so that none
 * changes it for the others. Freezes the reason. O(size of the reason), for each call when it holds a Map, a Set, a Date, bytes
 * or an error.
 */
export function handOut(reason: ExitReason): () => ExitReason {
  if (typeof reason !== 'object' || reason === null || constant.has(freeze(reason))) return () => reason;
  return () => freeze(copyTerm(reason));
}

function freeze<R>(reason: R): R {
  freezeInside(reason);
  return reason;
}

/** Freezes plain objects and arrays. True: nothing inside can change. */
function freezeInside(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || value instanceof Pid || value instanceof Ref)
    return true;
  if (constant.has(value)) return true;
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
