import type { AsyncResource } from 'node:async_hooks';
import type { Chain, Links, Monitor, Watches } from '../link/index.ts';
import type { Pid, Ref } from '../term/index.ts';
import type { Cell } from './cell.ts';
import type { DeathCallback, ExitCallbacks } from './exit-callbacks.ts';
import type { ExitReason } from './exit-reason.ts';
import type { MailboxGate } from './mailbox-gate.ts';

const NO_ANCESTORS: readonly Pid[] = [];

/** The fields of a control block that most actors never need. */
export class Extras {
  links: Links | null = null;
  watches: Watches | null = null;
  /** Monitors of it, made by other actors. */
  watchers: Chain<Monitor> | null = null;
  /** Calls that wait for its answer: a linked list, newest first. */
  callers: AwaitingCaller | null = null;
  /** Its own pending calls: a linked list, newest first. */
  calls: OwnCall | null = null;
  timers: Set<BoundTimer> | null = null;
  aliases: Set<number> | null = null;
  exitCallbacks: ExitCallbacks | null = null;
  /** A single callback is stored without a Set, which would take more memory than the rest of this object. */
  deathCallbacks: DeathCallback | Set<DeathCallback> | null = null;
  gate: MailboxGate | null = null;
  /** The exit reason of an actor whose handler has called `self.exit`. */
  leavingWith: ExitReason = undefined;
  /** Gets the outcome of its init; null once it has it. */
  starter: Starter | null = null;
  /** Actors of this node whose init it waits for. */
  starts: Set<Cell> | null = null;
  /** The init of one of `starts` runs on its stack. */
  isStarting = false;
  /** Actors of other nodes whose init it waits for. */
  remoteStarts: Set<RemoteWait> | null = null;
  /** The PIDs above its parent, nearest first, for crash reports. Empty: not stored. */
  ancestors: readonly Pid[] = NO_ANCESTORS;
  /** Carries the AsyncLocalStorage stores of the code that spawned it. */
  store: AsyncResource | null = null;

  /** Empties the list `callers`. Returns its items, oldest first. O(calls). */
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

/** A timer that ends with the actor. */
export interface BoundTimer {
  end(): void;
}

/** A call that fails when its target ends: an item of the list `Extras.callers`. */
export interface AwaitingCaller {
  older: AwaitingCaller | null;
  newer: AwaitingCaller | null;
  targetEnded(reason: ExitReason): void;
}

/** A pending call of an actor: an item of the list `Extras.calls`. */
export interface OwnCall {
  before: OwnCall | null;
  after: OwnCall | null;
  /** Ends the call without an outcome: its promise stays pending. */
  withdraw(): void;
}

/** An actor waits for an actor of another node: a call, or a start. */
export interface RemoteWait {
  /** The waiting actor; null: code outside of actors. */
  readonly caller: Cell | null;
  /** Identifies the wait, on the other node, too. */
  readonly address: Ref;
  /** The number or the name of the other node. */
  readonly node: number | string | undefined;
  /** The target of the call; undefined: it is a start. */
  readonly to: unknown;
  /** When it began, in ms of the runtime's clock. */
  readonly started: number;
  /** Its age in ms when it was last probed for a deadlock. */
  probedAgeMs: number;
  /** Fails the wait: it is part of `ring`, actors each of which waits for the next. */
  closesRing(ring: readonly Pid[]): void;
}

/** Gets the outcome of an actor's init: exactly one call. */
export interface Starter {
  ready(): void;
  ignored(): void;
  failed(reason: unknown): void;
}
