import type { AsyncResource } from 'node:async_hooks';
import { SnowmeshError } from '../errors/index.ts';
import { type Chain, Links, type Monitor, Watches } from '../link/index.ts';
import type { Mailbox } from '../mailbox/index.ts';
import { type Queued, withoutStore } from '../scheduler/index.ts';
import { Pid, type Ref } from '../term/index.ts';
import type { Timer } from '../timers/index.ts';
import type { AliasOwner } from './aliases.ts';
import type { Call } from './call.ts';
import type { DeathCallback, Ending } from './ending.ts';
import type { ExitReason } from './exit-reason.ts';
import type { Kernel } from './kernel.ts';
import type { MailboxGate } from './mailbox-gate.ts';
import type { LoggedTag } from './match.ts';
import type { Body, Program } from './program.ts';
import type { Wait } from './wait.ts';

/** Bits of `Cell.flags`. */
export const QUEUED = 1;
/** A promise of the handler is pending: no next message. */
export const BUSY = 2;
export const DEAD = 4;
export const TRAPS = 8;
export const TERMINATING = 16;
export const LIMITED = 32;
/** Its init is done. */
export const READY = 64;
/** It was spawned in an AsyncLocalStorage store: `Extras.store` carries it. */
export const IN_STORE = 128;
/** It was spawned, or got a message, with a trace context. */
export const TRACED = 256;

const NO_ANCESTORS: readonly Pid[] = [];

/** The parts of a control block that most actors never need. */
export class Extras {
  links: Links | null = null;
  watches: Watches | null = null;
  /** Monitors of it. */
  watchers: Chain<Monitor> | null = null;
  /** Calls that wait for its answer: the newest, the head of a list. */
  callers: AwaitingCaller | null = null;
  /** Its own pending calls: the head of a list. */
  calls: OwnCall | null = null;
  timers: Set<Timer> | null = null;
  aliases: Set<number> | null = null;
  ending: Ending | null = null;
  /** A single one without the Set, which would take more memory than the rest of this object. */
  deathCallbacks: DeathCallback | Set<DeathCallback> | null = null;
  gate: MailboxGate | null = null;
  /** Told when the init is done or has failed. */
  starter: Starter | null = null;
  /** Actors of this node whose init it waits for. */
  starts: Set<Cell> | null = null;
  /** The init of one of them runs on its stack. */
  isStarting = false;
  /** Actors of other nodes that it waits for in the same way. */
  farStarts: Set<FarWait> | null = null;
  ancestors: readonly Pid[] = NO_ANCESTORS;
  /** What carries the AsyncLocalStorage stores of its spawn. */
  store: AsyncResource | null = null;

  /** Takes all calls out of `callers`, the oldest first. O(calls). */
  takeCallers(): AwaitingCaller[] {
    const taken: AwaitingCaller[] = [];
    for (let caller = this.callers; caller !== null; ) {
      const { older } = caller;
      caller.older = caller.newer = null;
      taken.push(caller);
      caller = older;
    }
    this.callers = null;
    return taken.reverse();
  }
}

/** A caller that is told when the actor it called ends: an item of the list that begins at `Extras.callers`. */
export interface AwaitingCaller {
  older: AwaitingCaller | null;
  newer: AwaitingCaller | null;
  targetEnded(reason: ExitReason): void;
}

/** A pending call of an actor: an item of the list that begins at `Extras.calls`. */
export interface OwnCall {
  before: OwnCall | null;
  after: OwnCall | null;
  /** Ends it without an outcome: its promise stays pending. */
  withdraw(): void;
}

/** A wait of an actor for one of another node: a call, or a start. */
export interface FarWait {
  /** The waiting actor; null: code outside of actors. */
  readonly caller: Cell | null;
  /** Names the wait at the other node, too. */
  readonly address: Ref;
  /** The other node: its number, or its name. */
  readonly node: number | string | undefined;
  /** What is called; undefined: it is a start. */
  readonly to: unknown;
  /** ms of the runtime's clock. */
  readonly started: number;
  /** How old it was, in ms, when a ring through it was last looked for. */
  lookedAt: number;
  /** It is part of a ring of actors, each of which waits for the next: it fails. */
  closesRing(ring: readonly Pid[]): void;
}

/** What waits for an actor's init. */
export interface Starter {
  ready(): void;
  ignored(): void;
  failed(reason: unknown): void;
}

/** What a new actor runs in its first turn. */
export interface Birth {
  readonly what: Program;
  readonly isHandler: boolean;
  readonly args: readonly unknown[];
}

/** An actor's control block; no part of the package's interface. */
export class Cell implements Queued<Cell>, AliasOwner {
  nextInQueue: Cell | null = null;
  readonly kernel: Kernel;
  readonly pid: Pid;
  readonly label: string;
  readonly parent: Pid;
  flags = 0;
  mailbox: Mailbox | null = null;
  birth: Birth | null;
  body: Body | null = null;
  wait: Wait | null = null;
  /** Settles the promise of `wait`. */
  resume: (message: unknown) => void = nothing;
  /** Set by `self.exit` while a handler runs. */
  leaving: { readonly reason: unknown } | null = null;
  /** The call that it is handling. */
  handling: Call | null = null;
  lastTag: LoggedTag = undefined;
  /** Messages that it has taken. */
  turns = 0;
  private extras: Extras | null = null;
  private ownSelf: object | null = null;

  constructor(kernel: Kernel, local: number, parent: Pid, label: string, birth: Birth) {
    this.kernel = kernel;
    this.pid = new Pid(0, local, this);
    this.parent = parent;
    this.label = label;
    this.birth = birth;
  }

  get self(): object {
    this.ownSelf ??= this.kernel.newSelf(this);
    return this.ownSelf;
  }

  get isDead(): boolean {
    return (this.flags & DEAD) !== 0;
  }

  /** Nothing that its code still does has an effect: it is dead, or its handler has called `self.exit` (A6, A7). */
  get isOver(): boolean {
    return (this.flags & DEAD) !== 0 || this.leaving !== null;
  }

  get isTrapping(): boolean {
    return (this.flags & TRAPS) !== 0;
  }

  /** The rarely used part, if it was made. */
  get extra(): Extras | null {
    return this.extras;
  }

  /** The rarely used part, made now. */
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

  noteAlias(id: number): void {
    const more = this.more();
    more.aliases ??= new Set();
    more.aliases.add(id);
  }

  forgetAlias(id: number): void {
    this.extras?.aliases?.delete(id);
  }

  /** A call that waits for this actor's answer is told of its end. */
  addCaller(caller: AwaitingCaller): void {
    const more = this.more();
    const { callers } = more;
    caller.older = callers;
    if (callers !== null) callers.newer = caller;
    more.callers = caller;
  }

  /** Does nothing for a call that is not in the list (any more). */
  removeCaller(caller: AwaitingCaller): void {
    const { older, newer } = caller;
    if (newer !== null) newer.older = older;
    else if (this.extras?.callers === caller) this.extras.callers = older;
    else return;
    if (older !== null) older.newer = newer;
    caller.older = caller.newer = null;
  }

  /** Calls back once when the actor dies, after its names are free. Returns the way to cancel it. */
  onDeath(callback: DeathCallback): () => void {
    const more = this.more();
    const { deathCallbacks } = more;
    if (deathCallbacks === null) more.deathCallbacks = callback;
    else if (typeof deathCallbacks === 'function') more.deathCallbacks = new Set([deathCallbacks, callback]);
    else deathCallbacks.add(callback);
    return () => {
      // The cell may have dropped its extras: a death is announced after those before it.
      if (more.deathCallbacks === callback) more.deathCallbacks = null;
      else if (typeof more.deathCallbacks === 'object') more.deathCallbacks?.delete(callback);
    };
  }

  /** Drops everything that pins memory: others may keep the PID for long. */
  empty(): void {
    this.extras = null;
    this.mailbox = null;
    this.birth = null;
    this.body = null;
    this.wait = null;
    this.resume = nothing;
    this.handling = null;
  }
}

export function nothing(): void {}

/** The control block behind a PID, when the actor lives here. */
export function cellOf(pid: Pid): Cell | undefined {
  return pid.nc === 0 ? (pid.route as Cell | undefined) : undefined;
}

/** As {@link cellOf}, for a PID given by user code: throws SNOW_ERR_FOREIGN_PID for an actor of another runtime of this process. */
export function ownCell(kernel: Kernel, pid: Pid): Cell | undefined {
  const cell = cellOf(pid);
  if (cell !== undefined && cell.kernel !== kernel) refuseForeign(pid);
  return cell;
}

function refuseForeign(pid: Pid): never {
  const why = `${pid} lives on another node object of this process.`;
  throw new SnowmeshError('SNOW_ERR_FOREIGN_PID', why, { details: { pid } });
}

/** Calls code of an actor in the AsyncLocalStorage stores of its spawn. `extra` is the actor's, which loses it when it ends. */
export function inStore<A extends unknown[], R>(
  extra: Extras | null,
  code: (...args: A) => R,
  ...args: A
): R {
  const store = extra === null ? null : extra.store;
  return store === null ? withoutStore(code, ...args) : store.runInAsyncScope(code, undefined, ...args);
}

/** Queues the actor for a turn, if it has something to do. */
export function wake(cell: Cell): void {
  if (!canBeQueued(cell)) return;
  cell.flags |= QUEUED;
  cell.kernel.scheduler.enqueue(cell);
}

/** As {@link wake}, for an actor whose turn was cut off because the budget is spent. */
export function wakeUnfinished(cell: Cell): void {
  if (!canBeQueued(cell)) return;
  cell.flags |= QUEUED;
  cell.kernel.scheduler.enqueueUnfinished(cell);
}

/** A busy actor receives only while its init is pending. */
function canBeQueued(cell: Cell): boolean {
  if ((cell.flags & QUEUED) !== 0 || ((cell.flags & BUSY) !== 0 && cell.wait === null)) return false;
  return cell.body !== null || cell.wait !== null || cell.birth !== null;
}
