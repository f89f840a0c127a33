import { badArgument, checkFlag, checkOptionNames, type OptionNames } from '../errors/index.ts';
import {
  type AliasMode,
  Cell,
  checkAliasMode,
  compileMatch,
  Down,
  type NodeAddress,
  ownCell,
  TRAPS,
} from '../kernel/index.ts';
import { checkPid, checkRef, checkTarget } from '../send/index.ts';
import { Pid, type Ref } from '../term/index.ts';
import type { RuntimeKernel } from './runtime-kernel.ts';

/** A control block without its types, which are not for users. */
const Block = Cell as unknown as abstract new () => object;

/** The part of an actor's `self` for links, monitors and aliases. It is the control block itself: another object would take 40 bytes of each actor. */
export class Linking extends Block {
  /** @internal Whether the actor's code has no effect any more. */
  declare readonly isOver: boolean;
  /** @internal The objects of the modules below. RuntimeKernel is the only class that implements Kernel. */
  declare readonly kernel: RuntimeKernel;

  /** @internal */
  get cell(): Cell {
    return this as object as Cell;
  }

  /**
   * Links this actor and another: when one ends with another reason than `normal`, the other ends with the same reason. One that traps
   * exits gets an {@link Exit} instead, for `normal`, too. Linking twice is the same as once. If there is no such actor, this actor gets the exit signal
   * `noproc`, or `noconnection` if its node cannot be reached. As Erlang's `link`.
   *
   * @throws SNOW_ERR_BAD_DEST when `pid` is not a PID, SNOW_ERR_FOREIGN_PID.
   */
  link(pid: Pid): void {
    checkPid('link', pid);
    if (!this.isOver) this.kernel.links.link(this.cell, pid);
  }

  /**
   * Ends a link: no exit signal of it arrives afterwards. An Exit that is in the mailbox already stays. As Erlang's `unlink`. Throws
   * SNOW_ERR_BAD_DEST when `pid` is not a PID.
   */
  unlink(pid: Pid): void {
    checkPid('unlink', pid);
    if (!this.isOver) this.kernel.links.unlink(this.cell, pid);
  }

  /**
   * Monitors an actor: exactly one {@link Down} comes when it ends, at once if there is no such actor. As Erlang's `monitor/3`.
   *
   * @param target PID, local name, or name on a node.
   * @param options.alias Makes the reference an address of this actor, too. `explicit`: until `unalias`. `demonitor`: until the monitor
   *   ends. `reply`: until the monitor ends or one message arrives through it; that message ends the monitor, so no Down follows.
   * @returns The reference that the Down contains.
   * @throws SNOW_ERR_BAD_DEST, SNOW_ERR_NODE_NAME, SNOW_ERR_BAD_OPTION, SNOW_ERR_FOREIGN_PID.
   * @example
   * const ref = self.monitor(worker);
   * const down = await self.receive(ref, { timeout: 1000 });
   */
  monitor(target: Pid | string | NodeAddress, options?: { readonly alias?: AliasMode }): Ref {
    const { cell } = this;
    checkTarget('monitor', target);
    if (options !== undefined) {
      checkOptionNames('monitor', options, MONITOR_OPTIONS);
      if (options.alias !== undefined) checkAliasMode(options.alias);
    }
    const ref = this.kernel.newRef(cell.pid.local);
    if (this.isOver) return ref;
    if (target instanceof Pid) ownCell(this.kernel, target); // it may throw: then no alias is left
    if (options?.alias !== undefined) this.kernel.aliases.add(cell, ref, options.alias);
    cell.mailbox?.mark(ref);
    this.kernel.monitors.monitor(cell, target, ref);
    return ref;
  }

  /**
   * Ends a monitor. As Erlang's `demonitor/2`.
   *
   * @param options.flush Removes the Down from the mailbox if it has come already. O(messages) then.
   * @returns true: the monitor is removed, and no Down of it comes; false: the monitor had ended, and its Down came or was taken.
   * @throws SNOW_ERR_BAD_ARGUMENT when `ref` is not a reference, SNOW_ERR_BAD_OPTION.
   */
  demonitor(ref: Ref, options?: { readonly flush?: boolean }): boolean {
    const { cell } = this;
    checkRef('demonitor', ref);
    if (options !== undefined) {
      checkOptionNames('demonitor', options, DEMONITOR_OPTIONS);
      checkFlag('demonitor', 'flush', options.flush);
    }
    if (this.isOver) return false;
    const wasThere = this.kernel.monitors.demonitor(cell, ref);
    if (!wasThere && options?.flush === true) {
      const takes = (message: unknown): boolean => message instanceof Down && message.ref.equals(ref);
      // Other messages with the reference stay: replies to it as an alias.
      cell.mailbox?.take({ takes, broad: compileMatch(ref) }, [ref]);
    }
    return wasThere;
  }

  /**
   * Makes another address of this actor. `explicit`: valid until {@link unalias}; `reply`: also only for one message. As Erlang's
   * `alias/1`. Throws SNOW_ERR_BAD_OPTION.
   */
  alias(mode: 'explicit' | 'reply' = 'explicit'): Ref {
    checkAliasMode(mode);
    const ref = this.makeRef();
    if (!this.isOver) this.kernel.aliases.add(this.cell, ref, mode);
    return ref;
  }

  /**
   * Ends an alias: later messages to it are dropped. Returns false if it was no active alias of this actor. As Erlang's `unalias/1`.
   * Throws SNOW_ERR_BAD_ARGUMENT when `ref` is not a reference.
   */
  unalias(ref: Ref): boolean {
    checkRef('unalias', ref);
    const entry = ref.nc === 0 ? this.kernel.aliases.get(ref) : undefined;
    if (entry?.cell !== this.cell) return false;
    this.kernel.aliases.end(entry);
    return true;
  }

  /**
   * Sets whether exit signals arrive as {@link Exit} messages instead of ending this actor. As Erlang's `process_flag(trap_exit)`.
   *
   * @returns The setting before.
   * @throws SNOW_ERR_BAD_ARGUMENT when `on` is not true or false.
   */
  trapExit(on: boolean): boolean {
    if (typeof on !== 'boolean') throw badArgument('trapExit', 'true or false', on);
    const { cell } = this;
    const before = cell.isTrapping;
    if (!this.isOver) cell.flags = on ? cell.flags | TRAPS : cell.flags & ~TRAPS;
    return before;
  }

  /** Makes a unique reference. A `receive` for it skips the messages that are in the mailbox now. As Erlang's `make_ref`. O(1). */
  makeRef(): Ref {
    const ref = this.kernel.newRef(this.cell.pid.local);
    this.cell.mailbox?.mark(ref);
    return ref;
  }
}

const MONITOR_OPTIONS: OptionNames<{ alias?: AliasMode }> = { alias: true };
const DEMONITOR_OPTIONS: OptionNames<{ flush?: boolean }> = { flush: true };
