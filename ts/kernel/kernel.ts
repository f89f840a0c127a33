import type { Scheduler } from '../scheduler/index.ts';
import type { Pid, Ref } from '../term/index.ts';
import type { Timers } from '../timers/index.ts';
import type { ActorTable } from './actor-table.ts';
import type { Aliases } from './aliases.ts';
import type { Birth, Cell } from './cell.ts';
import type { Extras } from './cell-extras.ts';
import type { DeadLetters } from './dead-letters.ts';
import type { ExitReason } from './exit-reason.ts';
import type { Logger } from './logger.ts';
import type { NamesPort } from './names-port.ts';
import type { RemotePort } from './remote-port.ts';
import type { ThrottledLog } from './throttled-log.ts';
import type { TracingPort } from './tracing-port.ts';

/** The state that the actors of one runtime share, and the ports to the modules above. `RuntimeKernel` implements it. */
export interface Kernel {
  /** @internal */ readonly table: ActorTable<Cell>;
  /** @internal */ readonly aliases: Aliases<Cell>;
  /** @internal */ readonly scheduler: Scheduler<Cell>;
  /** @internal */ readonly timers: Timers;
  /** @internal */ readonly deadLetters: DeadLetters;
  /** @internal */ readonly logger: Logger;
  /** @internal For lines that messages cause. */ readonly throttledLog: ThrottledLog;
  /** @internal */ readonly longMailboxes: { note(cell: Cell): void };
  /** @internal The PID that stands for code outside of actors. */
  readonly root: Pid;
  /** @internal */ readonly names: NamesPort;
  /** @internal */ readonly remote: RemotePort;
  /** @internal */ readonly deaths: DeathPort;
  /** @internal Null: tracing is off. */ readonly tracing: TracingPort | null;
  /** @internal Whether the node was stopped: no actor can be spawned. */
  readonly isStopped: boolean;
  /** @internal Whether the node is stopping: nothing is spawned for other nodes, nor on them. */
  readonly isStopping: boolean;
  /** @internal This node's name; `nonode@nohost` without one. */
  readonly ownName: string;
  /** @internal Makes the control block of an actor, which is the `self` of its code. */
  newCell(local: number, parent: Pid, label: string, birth: Birth): Cell;
  /** @internal A new reference of the actor with that local id; 0: of code outside of actors. */
  newRef(local: number): Ref;
  /** @internal Whether `node` is the name of this node. */
  isSelf(node: string): boolean;
  /** @internal ms of the monotonic clock. */
  now(): number;
}

/** Sends the signals of a dead actor: to its links, its monitors and the calls that wait for it. */
export interface DeathPort {
  push(pid: Pid, extra: Extras, reason: ExitReason): void;
}
