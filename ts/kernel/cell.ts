import type { Runtime } from '../actor/runtime.ts';
import type { Self } from '../actor/self.ts';
import type { HandlerBody, Startable } from '../actor/spec.ts';
import type { AwaitingCaller, PendingCall } from '../call/pending-call.ts';
import { SnowmeshError } from '../errors/index.ts';
import { type Chain, Links, type Monitor, Watches } from '../link/index.ts';
import type { Mailbox } from '../mailbox/index.ts';
import type { Runnable } from '../scheduler/index.ts';
import { Pid, type Ref } from '../term/index.ts';
import type { Timer } from '../timers/index.ts';
import type { Call } from './call.ts';
import type { MailboxGate } from './mailbox-gate.ts';
import type { LoggedTag } from './match.ts';
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

/** What most actors never need. */
export class Extras {
  links: Links | null = null;
  watches: Watches | null = null;
  /** Monitors of it. */
  watchers: Chain<Monitor> | null = null;
  /** Calls that wait for its answer. */
  callers: Set<AwaitingCaller> | null = null;
  /** Its own calls that wait: the head of a list. */
  calls: PendingCall | null = null;
  timers: Set<Timer> | null = null;
  aliases: Set<number> | null = null;
  abort: AbortController | null = null;
  deathCallbacks: Set<(pid: Pid, reason: unknown) => void> | null = null;
  gate: MailboxGate | null = null;
  /** Told when init is done or failed. */
  starter: Starter | null = null;
  ancestors: readonly Pid[] = [];
}

/** Who waits for an actor's init. */
export interface Starter {
  ready(): void;
  ignored(): void;
  failed(reason: unknown): void;
}

/** What a cell does first. */
export interface Birth {
  readonly what: Startable;
  readonly isHandler: boolean;
  readonly args: readonly unknown[];
}

/** An actor's control block. @internal */
export class Cell implements Runnable {
  nextInQueue: Runnable | null = null;
  readonly runtime: Runtime;
  readonly pid: Pid;
  readonly label: string;
  readonly parent: Pid;
  flags = 0;
  mailbox: Mailbox | null = null;
  birth: Birth | null;
  body: HandlerBody<never> | null = null;
  wait: Wait | null = null;
  /** Settles the promise of `wait`. */
  resume: (message: unknown) => void = nothing;
  /** Set by `self.exit` while a handler runs. */
  leaving: { readonly reason: unknown } | null = null;
  /** The call it is handling. */
  handling: Call | null = null;
  lastTag: LoggedTag = undefined;
  private extras: Extras | null = null;
  private ownSelf: Self | null = null;

  constructor(runtime: Runtime, local: number, parent: Pid, label: string, birth: Birth) {
    this.runtime = runtime;
    this.pid = new Pid(0, local, this);
    this.parent = parent;
    this.label = label;
    this.birth = birth;
  }

  get self(): Self {
    this.ownSelf ??= this.runtime.makeSelf(this);
    return this.ownSelf;
  }

  get isDead(): boolean {
    return (this.flags & DEAD) !== 0;
  }

  get isTrapping(): boolean {
    return (this.flags & TRAPS) !== 0;
  }

  /** The rarely used part, when there is one. */
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

  forgetAlias(ref: Ref): void {
    this.extras?.aliases?.delete(ref.id);
  }

  /** Everything that pins memory goes; the PID may be kept by others for long. */
  empty(): void {
    this.extras = null;
    this.mailbox = null;
    this.birth = null;
    this.body = null;
    this.wait = null;
    this.resume = nothing;
    this.handling = null;
  }

  run(): boolean {
    return this.runtime.runCell(this);
  }
}

export function nothing(): void {}

/** The control block behind a PID, when the actor lives here. */
export function cellOf(pid: Pid): Cell | undefined {
  return pid.nc === 0 ? (pid.route as Cell | undefined) : undefined;
}

/** The same for a PID that user code names: throws SNOW_ERR_FOREIGN_PID for an actor of another runtime of this process. */
export function ownCell(runtime: Runtime, pid: Pid): Cell | undefined {
  const cell = cellOf(pid);
  if (cell !== undefined && cell.runtime !== runtime) refuseForeign(pid);
  return cell;
}

function refuseForeign(pid: Pid): never {
  const why = `${pid} lives on another node object of this process.`;
  throw new SnowmeshError('SNOW_ERR_FOREIGN_PID', why, { details: { pid } });
}

/** Gives the actor a turn when it has something to do with it. One that is busy can wait for a message only in its init. */
export function wake(cell: Cell): void {
  if ((cell.flags & QUEUED) !== 0 || ((cell.flags & BUSY) !== 0 && cell.wait === null)) return;
  if (cell.body === null && cell.wait === null && cell.birth === null) return;
  cell.flags |= QUEUED;
  cell.runtime.scheduler.enqueue(cell);
}
