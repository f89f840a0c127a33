// Messages by address: a PID, a name, a name on a node, an alias.

import type { Runtime } from '../actor/runtime.ts';
import type { Dest } from '../actor/self.ts';
import { SnowmeshError } from '../errors/index.ts';
import { Cell, cellOf, ownCell } from '../kernel/cell.ts';
import { deliver } from '../kernel/delivery.ts';
import type { MailboxGate } from '../kernel/mailbox-gate.ts';
import { demonitor } from '../signal/signals.ts';
import { copyTerm, Pid, Ref } from '../term/index.ts';

/** Sends a message of user code. `from` is the sending actor; null: code outside of actors. */
export function send(runtime: Runtime, from: Cell | null, to: Dest<never>, message: unknown): void {
  if (to instanceof Pid) {
    if (to.nc !== 0) return runtime.remote.send(from === null ? null : from.pid, to, message);
    const copy = copyTerm(message);
    const cell = ownCell(runtime, to);
    return cell === undefined ? runtime.deadLetters.count('noproc', to) : deliver(cell, copy);
  }
  const pid = from === null ? null : from.pid;
  if (typeof to === 'string') return deliverTo(runtime, nameOrThrow(runtime, to), copyTerm(message));
  if (to instanceof Ref) {
    if (to.nc !== 0) return runtime.remote.sendAlias(pid, to, message);
    return deliverAlias(runtime, to, copyTerm(message));
  }
  checkDest(to);
  if (runtime.isSelf(to.node)) return deliverNamed(runtime, to.name, copyTerm(message));
  runtime.remote.sendNamed(pid, to.name, to.node, message);
}

const PROMISE = 'The destination is a promise, not a PID or a name: did you forget await?';

/** Whether it is an address at all. Throws SNOW_ERR_BAD_DEST. */
export function checkDest(to: unknown): void {
  if (typeof to === 'string' || to instanceof Pid || to instanceof Ref) return;
  const isAddress = typeof to === 'object' && to !== null && 'node' in to && 'name' in to;
  if (isAddress) return;
  const isPromise = typeof (to as { then?: unknown } | undefined)?.then === 'function';
  throw new SnowmeshError('SNOW_ERR_BAD_DEST', isPromise ? PROMISE : undefined);
}

function nameOrThrow(runtime: Runtime, name: string): Pid {
  const pid = runtime.names.whereis(name);
  if (pid !== undefined) return pid;
  throw new SnowmeshError('SNOW_ERR_NAME_UNKNOWN', `Nobody is registered as ${JSON.stringify(name)} here.`, {
    details: { name },
  });
}

function deliverTo(runtime: Runtime, pid: Pid, message: unknown): void {
  const cell = cellOf(pid);
  if (cell === undefined) runtime.deadLetters.count('noproc', pid);
  else deliver(cell, message);
}

/** By a name that may be free: lost without a word, as between nodes (rule F4). */
export function deliverNamed(runtime: Runtime, name: string, message: unknown): void {
  const pid = runtime.names.whereis(name);
  if (pid === undefined) runtime.deadLetters.count('no_name', name);
  else deliverTo(runtime, pid, message);
}

export function deliverAlias(runtime: Runtime, alias: Ref, message: unknown): void {
  const entry = runtime.aliases.get(alias);
  if (entry === undefined) return runtime.deadLetters.count('alias', alias);
  if (entry.mode === 'reply') {
    runtime.aliases.end(entry);
    demonitor(entry.cell, alias); // the monitor it was made with
  }
  deliver(entry.cell, message);
}

/** Sends when there is room in the target's mailbox (policy `block`), or on the way to its node. */
export async function sendWait(
  runtime: Runtime,
  from: Cell,
  to: Dest<never>,
  message: unknown,
): Promise<void> {
  checkDest(to);
  for (;;) {
    const target = targetOf(runtime, to);
    const gate = target instanceof Cell ? target.extra?.gate : undefined;
    const room = target instanceof Cell ? roomIn(gate, from) : target && runtime.remote.whenWritable(target);
    if (room === undefined) {
      if (target === undefined || target instanceof Cell) return send(runtime, from, to, message);
      try {
        await runtime.remote.sendGently(from.pid, target, message);
      } catch (error) {
        if (!from.isDead) throw error;
      }
      return from.isDead ? new Promise(() => {}) : undefined; // A7
    }
    await room;
    // Let go on for nothing, it lets the next one.
    if (from.isDead || targetOf(runtime, to) !== target) gate?.release();
    if (from.isDead) return new Promise(() => {}); // A7
  }
}

function roomIn(gate: MailboxGate | null | undefined, from: Cell): Promise<void> | undefined {
  return gate?.policy === 'block' && gate.isFull ? gate.room(from) : undefined;
}

/** The actor here that `to` means now, or the address of one on another node; undefined: nobody. */
function targetOf(runtime: Runtime, to: Dest<never>): Cell | Exclude<Dest<never>, string> | undefined {
  if (to instanceof Ref) return to.nc === 0 ? runtime.aliases.get(to)?.cell : to;
  const isName = typeof to === 'string';
  if (!isName && !(to instanceof Pid) && !runtime.isSelf(to.node)) return to;
  const pid = to instanceof Pid ? to : runtime.names.whereis(isName ? to : to.name);
  if (pid === undefined || pid.nc === 0) return pid === undefined ? undefined : ownCell(runtime, pid);
  return pid;
}
