import { SnowmeshError } from '../errors/index.ts';
import { copyTerm } from '../term/index.ts';
import type { CrashReason, ExitReason, NoCatchReason } from './exit-reason.ts';

/** Thrown by `self.exit` to leave the actor's code; never a crash. */
export class Leave extends SnowmeshError {
  constructor() {
    super(
      'SNOW_ERR_ACTOR_DEAD',
      'This actor has ended, and leaves its code by this throw. In a callback of Node.js nobody catches it: end the actor there with self.runtime.sendExit(self.pid, reason).',
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

/** The exit reason for a thrown value; always a term that can travel (rule A3). */
export function crashReason(thrown: unknown): CrashReason {
  try {
    return thrown instanceof Error ? errorReason(thrown) : freeze(copyTerm(noCatch(thrown)));
  } catch {
    // It cannot travel, or has getters that throw.
    return noCatch(text(thrown));
  }
}

/** The stack is made into text when somebody looks at it, for that takes longer than all the rest of a crash. */
function errorReason(thrown: Error): CrashReason {
  const { name, message, code } = thrown as Error & { code?: unknown };
  const error = { name: text(name), message: text(message) };
  const isCode = typeof code === 'string' || typeof code === 'number';
  const full = isCode ? { ...error, code: typeof code === 'string' ? text(code) : code } : error;
  let stack: string | undefined;
  return {
    error: Object.freeze(full),
    get stack() {
      stack ??= stackOf(thrown);
      // From now on a plain property, which console.log prints as text and not as a getter.
      if (!Object.isFrozen(this)) Object.defineProperty(this, 'stack', { value: stack });
      return stack;
    },
  };
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

/** An exit reason given by user code, copied so that nobody can change it later. Throws SNOW_ERR_UNSENDABLE. */
export function givenReason(reason: ExitReason): ExitReason {
  return freeze(copyTerm(reason));
}

/** All who hear of an end get the same reason, and none may change it for the others (B8). Maps, dates and bytes cannot be frozen. */
function freeze<R>(reason: R): R {
  if (typeof reason !== 'object' || reason === null) return reason;
  if (!Array.isArray(reason) && Object.getPrototypeOf(reason) !== Object.prototype) return reason;
  for (const part of Object.values(reason)) freeze(part);
  return Object.freeze(reason);
}

function text(value: unknown): string {
  try {
    const string = String(value);
    return string.isWellFormed() ? string : string.toWellFormed();
  } catch {
    return typeof value;
  }
}
