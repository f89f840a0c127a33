import { SnowmeshError } from '../errors/index.ts';
import { copyTerm } from '../term/index.ts';
import type { CrashReason, ExitReason } from './exit-reason.ts';

/** @internal Thrown by `self.exit` to leave the actor's code; never a crash. */
export class Leave extends SnowmeshError {
  constructor() {
    super('SNOW_ERR_ACTOR_DEAD', 'This actor has ended.');
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
  const { stack = '' } = new Error('thrown');
  try {
    return thrown instanceof Error ? errorReason(thrown) : copyTerm({ nocatch: thrown, stack });
  } catch {
    // It cannot travel, or has getters that throw.
    return { nocatch: text(thrown), stack };
  }
}

function errorReason(thrown: Error): CrashReason {
  const { name, message, code, stack } = thrown as Error & { code?: unknown };
  const error = { name: text(name), message: text(message) };
  const isCode = typeof code === 'string' || typeof code === 'number';
  const full = isCode ? { ...error, code: typeof code === 'string' ? text(code) : code } : error;
  return { error: full, stack: text(stack) };
}

/** An exit reason given by user code, copied so that nobody can change it later. Throws SNOW_ERR_UNSENDABLE. */
export function givenReason(reason: ExitReason): ExitReason {
  return copyTerm(reason);
}

function text(value: unknown): string {
  try {
    const string = String(value);
    return string.isWellFormed() ? string : string.toWellFormed();
  } catch {
    return typeof value;
  }
}
