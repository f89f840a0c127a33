import { SnowmeshError } from '../errors/index.ts';
import { Links, Watches } from '../link/index.ts';
import type { Mailbox, MailboxOwner } from '../mailbox/index.ts';
import { type Queued, withoutStore } from '../scheduler/index.ts';
import { Pid } from '../term/index.ts';
import type { AliasOwner } from './aliases.ts';
import type { Call } from './call.ts';
import { type AwaitingCaller, Extras } from './cell-extras.ts';
import type { DeathCallback } from './exit-callbacks.ts';
import type { Kernel } from './kernel.ts';
import type { LoggedTag } from './message-tag.ts';
import type { Body, Program } from './program.ts';
import type { Wait } from './wait.ts';

/** Bit of `Cell.flags`: it is in the run queue. */
export const QUEUED = 1;
/** Its init runs, or a promise of its init or handler is pending: it gets no next message. */
export const BUSY = 2;
export const DEAD = 4;
/** Exit signals arrive as messages. */
export const TRAPS = 8;
export const TERMINATING = 16;
/** Its mailbox has a limit: `Extras.gate`. */
export const LIMITED = 32;
/** Its handler has called `self.exit`, and ends it when it returns: `Extras.leavingWith`. */
export const LEAVING = 64;
/** It was spawned in an AsyncLocalStorage store: `Extras.store` carries it. */
export const IN_STORE = 128;
/** It was spawned, or got a message, with a trace context. */
export const TRACED = 256;
/** It has got an Envelope. */
export const ENVELOPES = 512;
/** It was told to stop before its init was done. */
export const STOP_ASKED = 1024;
/** It had no turn yet: `Cell.birth`. */
const UNBORN = 2048;

/** The code and arguments that a new actor runs in its first turn. */
export interface Birth {
  readonly what: Program;
  readonly isHandler: boolean;
  readonly args: readonly unknown[];
}

/** Resolves the promise of a pending receive. */
export type Resume = (message: unknown) => void;

/** An actor's control block. `Self` extends it: what an actor's code gets is the block itself, without its types. It is not exported from the package. */
export class Cell implements Queued<Cell>, AliasOwner, MailboxOwner {
  nextInQueue: Cell | null = null;
  readonly kernel: Kernel;
  readonly pid: Pid;
  readonly label: string;
  readonly parent: Pid;
  flags = UNBORN;
  mailbox: Mailbox | null = null;
  wait: Wait | null = null;
  /** Null until its init is done, and for a function actor. */
  body: Body | null = null;
  /** Its birth until its first turn; then what resolves the promise of `wait`. One field, so that an idle actor is small. */
  private code: Birth | Resume | null;
  handling: Call | null = null;
  /** The last message that it took, for crash reports. */
  lastTag: LoggedTag = undefined;
  turns = 0; // messages that it has taken
  private extras: Extras | null = null;

  constructor(kernel: Kernel, local: number, parent: Pid, label: string, birth: Birth) {
    this.kernel = kernel;
    this.pid = new Pid(0, local, this);
    this.parent = parent;
    this.label = label;
    this.code = birth;
  }

  /** Null once its first turn has begun. */
  get birth(): Birth | null {
    return (this.flags & UNBORN) !== 0 ? (this.code as Birth) : null;
  }

  /** Its first turn begins: it has no birth any more. */
  takeBirth(): Birth {
    const birth = this.code as Birth;
    this.flags &= ~UNBORN;
    this.code = null;
    return birth;
  }

  /** A receive is pending: `resume` settles its promise. */
  suspend(wait: Wait, resume: Resume): void {
    this.wait = wait;
    this.code = resume;
  }

  /** The pending receive has ended. Returns what resolves its promise, which would keep the message in memory. */
  endWait(): Resume {
    const resume = this.code as Resume;
    this.wait = null;
    this.code = null;
    return resume;
  }

  get isDead(): boolean {
    return (this.flags & DEAD) !== 0;
  }

  /** Whether its code has no effect any more: it is dead (A7), or its handler has called `self.exit` (A6). */
  get isOver(): boolean {
    return (this.flags & (DEAD | LEAVING)) !== 0;
  }

  get isTrapping(): boolean {
    return (this.flags & TRAPS) !== 0;
  }

  get extra(): Extras | null {
    return this.extras;
  }

  /** The rarely used fields, allocated if they were not. */
  more(): Extras {
    this.extras ??= new Extras();
    return this.extras;
  }

  links(): Links {
    const more = this.more();
    more.links ??= new Links(this.pid);
    return more.links;
  }

  watches(): Watches {
    const more = this.more();
    more.watches ??= new Watches();
    return more.watches;
  }

  mailboxIsLong(): void {
    this.kernel.longMailboxes.note(this);
  }

  noteAlias(id: number): void {
    const more = this.more();
    more.aliases ??= new Set();
    more.aliases.add(id);
  }

  forgetAlias(id: number): void {
    this.extras?.aliases?.delete(id);
  }

  /** Adds a call that fails when this actor ends. */
  addCaller(caller: AwaitingCaller): void {
    const more = this.more();
    const { callers } = more;
    caller.older = callers;
    if (callers !== null) callers.newer = caller;
    more.callers = caller;
  }

  removeCaller(caller: AwaitingCaller): void {
    const { older, newer } = caller;
    if (newer !== null) newer.older = older;
    else if (this.extras?.callers === caller) this.extras.callers = older;
    else return;
    if (older !== null) older.newer = newer;
    caller.older = caller.newer = null;
  }

  /** Calls back once when the actor dies, after its names are free. Returns a function that cancels it. */
  onDeath(callback: DeathCallback): () => void {
    const more = this.more();
    const { deathCallbacks } = more;
    if (deathCallbacks === null) more.deathCallbacks = callback;
    else if (typeof deathCallbacks === 'function') more.deathCallbacks = new Set([deathCallbacks, callback]);
    else deathCallbacks.add(callback);
    return () => {
      // `more` and not `this.extras`: the cell drops its extras when it dies, but the queue of deaths still holds them.
      if (more.deathCallbacks === callback) more.deathCallbacks = null;
      else if (typeof more.deathCallbacks === 'object') more.deathCallbacks?.delete(callback);
    };
  }

  /** Drops every reference to larger objects: other actors may keep the PID for long. */
  empty(): void {
    this.extras = null;
    this.mailbox = null;
    this.flags &= ~UNBORN;
    this.body = null;
    this.code = null;
    this.wait = null;
    this.handling = null;
  }
}

/** The control block of a living actor of this OS process; undefined for any other PID. */
export function cellOf(pid: Pid): Cell | undefined {
  return pid.nc === 0 ? (pid.route as Cell | undefined) : undefined;
}

/** {@link cellOf} for a PID that user code passed. Throws SNOW_ERR_FOREIGN_PID for an actor of another runtime of this process. */
export function ownCell(kernel: Kernel, pid: Pid): Cell | undefined {
  const cell = cellOf(pid);
  if (cell !== undefined && cell.kernel !== kernel) refuseForeign(pid);
  return cell;
}

function refuseForeign(pid: Pid): never {
  const why = `${pid} belongs to another node object of this process: send the PID in a message instead of sharing it in memory.`;
  throw new SnowmeshError('SNOW_ERR_FOREIGN_PID', why, { details: { pid } });
}

/** Calls an actor's code in the AsyncLocalStorage stores of its spawn. Takes `extra`, which the cell drops when the actor ends. */
export function inStore<A extends unknown[], R>(
  extra: Extras | null,
  code: (...args: A) => R,
  ...args: A
): R {
  const store = extra === null ? null : extra.store;
  return store === null ? withoutStore(code, ...args) : store.runInAsyncScope(code, undefined, ...args);
}

/** Queues the actor for a turn, unless it is queued already or cannot take a message now. */
export function wake(cell: Cell): void {
  if (!canBeQueued(cell)) return;
  cell.flags |= QUEUED;
  cell.kernel.scheduler.enqueue(cell);
}

/** {@link wake} for an actor whose turn was cut off because the budget was spent. */
export function wakeUnfinished(cell: Cell): void {
  if (!canBeQueued(cell)) return;
  cell.flags |= QUEUED;
  cell.kernel.scheduler.enqueueUnfinished(cell);
}

/** A busy actor takes messages only in a `receive` of its pending init. */
function canBeQueued(cell: Cell): boolean {
  if ((cell.flags & (QUEUED | BUSY)) !== 0) return (cell.flags & QUEUED) === 0 && cell.wait !== null;
  return cell.body !== null || cell.wait !== null || (cell.flags & UNBORN) !== 0;
}
