import { SnowmeshError } from '../errors/index.ts';
import { copyTerm } from '../term/index.ts';
import type { CrashReason, ExitReason } from './exit-reason.ts';

/** @internal Thrown by `self.exit` to leave the actor's code; never a crash. */
export class Leave extends SnowmeshError {
  constructor() {
    super('SNOW_ERR_ACTOR_DEAD', 'This actor has ended.');
  }
}

/** The exit reason for a thrown value; always a term that can travel (rule A3). */
export function crashReason(thrown: unknown): CrashReason {
  if (thrown instanceof Error) {
    const { name, message, code } = thrown as Error & { code?: unknown };
    const error = { name: text(name), message: text(message) };
    const known = typeof code === 'string' || typeof code === 'number';
    return { error: known ? { ...error, code } : error, stack: text(thrown.stack) };
  }
  const { stack = '' } = new Error('thrown');
  try {
    return { nocatch: copyTerm(thrown), stack };
  } catch {
    return { nocatch: text(thrown), stack };
  }
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
