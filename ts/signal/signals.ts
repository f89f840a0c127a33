// Links, monitors and exit signals between actors, here and far away.

import type { Runtime } from '../actor/runtime.ts';
import { type Cell, cellOf, type Extras, ownCell } from '../kernel/cell.ts';
import { terminate } from '../kernel/death.ts';
import { deliver } from '../kernel/delivery.ts';
import type { ExitReason } from '../kernel/exit-reason.ts';
import { sendReason } from '../kernel/far-reason.ts';
import { Down, Exit, type NodeAddress } from '../kernel/system-message.ts';
import { Chain, exitEffect, type Link, Monitor } from '../link/index.ts';
import { Pid, type Ref } from '../term/index.ts';

// -- links ----------------------------------------------------------------------------------------------------------

/** `cell` links to `to`. A dead local partner answers with an exit signal `noproc` (rule C8). */
export function link(cell: Cell, to: Pid): void {
  const { runtime } = cell;
  if (to.nc === 0 && to.local === cell.pid.local) return; // C2
  if (to.nc === 0) {
    const partner = ownCell(runtime, to);
    if (partner === undefined) {
      const isComing = cell.extra?.links?.has(to) === true; // it died just now, and its exit signal is on its way
      return isComing ? undefined : signalExit(cell, to, 'noproc', true);
    }
    if (cell.links().link(to) !== undefined) partner.links().linkedBy(cell.pid);
    return;
  }
  // A link that is about to fire must not become a new one.
  if (runtime.inbound.isLosing && cell.extra?.links?.find(to) !== undefined) {
    runtime.inbound.endLosses();
    if (cell.isDead) return;
  }
  const made = cell.links().link(to);
  if (made === undefined) return;
  runtime.remoteLinks.add(to.nc, made);
  runtime.remote.link(cell.pid, to);
}

export function unlink(cell: Cell, to: Pid): void {
  const links = cell.extra?.links;
  if (links === null || links === undefined) return;
  if (to.nc === 0) {
    if (links.remove(to) !== undefined) cellOf(to)?.extra?.links?.remove(cell.pid);
    return;
  }
  const id = ++cell.runtime.unlinkIds;
  if (links.unlinkRemote(to, id)) cell.runtime.remote.unlink(cell.pid, to, id);
}

// -- monitors -------------------------------------------------------------------------------------------------------

export function monitor(cell: Cell, target: Pid | string | NodeAddress, ref: Ref): void {
  const { runtime } = cell;
  const address = typeof target === 'string' ? { name: target, node: runtime.ownName } : target;
  const isHere = address instanceof Pid ? address.nc === 0 : runtime.isSelf(address.node);
  if (!isHere) return monitorRemote(cell, address, ref);
  const pid = address instanceof Pid ? address : runtime.names.whereis(address.name);
  const partner = pid === undefined ? undefined : ownCell(runtime, pid);
  if (partner === undefined) {
    runtime.aliases.endWithMonitor(ref); // G8
    return deliver(cell, new Down(ref, address, 'noproc'));
  }
  if (partner === cell) return; // D13: inert
  const made = new Monitor(ref, cell.pid, address);
  cell.watches().add(made);
  const more = partner.more();
  more.watchers ??= new Chain();
  more.watchers.add(made);
}

function monitorRemote(cell: Cell, target: Pid | NodeAddress, ref: Ref): void {
  const { runtime } = cell;
  const address =
    target instanceof Pid ? target : { name: target.name, node: runtime.remote.canonical(target.node) };
  const made = new Monitor(ref, cell.pid, address);
  cell.watches().add(made);
  runtime.remoteMonitors.add(made.node, made);
  runtime.remote.monitor(cell.pid, ref, address);
}

/** False: there is no such monitor (any more). */
export function demonitor(cell: Cell, ref: Ref): boolean {
  const made = cell.extra?.watches?.take(ref);
  if (made === undefined) return false;
  const { runtime } = cell;
  runtime.aliases.endWithMonitor(ref);
  if (made.chain !== null) (made.chain as unknown as Chain<Monitor>).remove(made);
  else {
    runtime.remoteMonitors.remove(made.node, made);
    runtime.remote.demonitor(cell.pid, ref, made.target);
  }
  return true;
}

/** A monitor of `cell` fires. */
export function fireMonitor(cell: Cell, ref: Ref, reason: ExitReason): void {
  const made = cell.extra?.watches?.take(ref);
  if (made === undefined) return;
  const { runtime } = cell;
  if (made.chain === null) runtime.remoteMonitors.remove(made.node, made);
  runtime.aliases.endWithMonitor(ref);
  deliver(cell, new Down(ref, made.target, reason));
}

// -- exit signals ---------------------------------------------------------------------------------------------------

/** An explicit exit signal (rules E1-E7). */
export function sendExit(runtime: Runtime, from: Cell | null, to: Pid, reason: ExitReason): void {
  if (to.nc !== 0) return runtime.remote.exit2(from === null ? null : from.pid, to, reason);
  const cell = ownCell(runtime, to);
  if (cell === undefined) return;
  if (cell === from && reason === 'normal' && !cell.isTrapping) return terminate(cell, 'normal'); // E2
  signalExit(cell, from === null ? runtime.root : from.pid, reason, false);
}

/** `cell` receives an exit signal. `isLoss`: because the node of `from` was lost. */
export function signalExit(cell: Cell, from: Pid, reason: ExitReason, isLink: boolean, isLoss = false): void {
  if (cell.isDead) return;
  const effect = exitEffect(reason, isLink, cell.isTrapping);
  if (effect.kind === 'ignore') return;
  if (effect.kind === 'die') return terminate(cell, effect.reason);
  deliver(cell, new Exit(from, reason, isLoss));
}

// -- death ----------------------------------------------------------------------------------------------------------

/** Tells everybody tied to a dead actor. Deaths that follow wait in a queue. */
export function passOn(runtime: Runtime, pid: Pid, extra: Extras, reason: ExitReason): void {
  if (runtime.isPassingOn) return runtime.deaths.push({ pid, extra, reason });
  runtime.isPassingOn = true;
  try {
    announce(runtime, pid, extra, reason);
    for (let death = runtime.deaths.shift(); death !== undefined; death = runtime.deaths.shift())
      announce(runtime, death.pid, death.extra, death.reason);
  } finally {
    runtime.isPassingOn = false;
  }
}

function announce(runtime: Runtime, pid: Pid, extra: Extras, reason: ExitReason): void {
  for (const callback of extra.deathCallbacks ?? []) runtime.guard(() => callback(pid, reason));
  if (extra.abort !== null) {
    const { abort } = extra;
    runtime.guard(() => abort.abort(reason));
  }
  extra.gate?.close();
  dropOwnMonitors(runtime, extra, pid);
  announceToLinks(runtime, pid, extra, reason);
  announceToWatchers(runtime, pid, extra, reason);
  for (const caller of extra.callers ?? []) caller.targetEnded(reason);
}

function dropOwnMonitors(runtime: Runtime, extra: Extras, pid: Pid): void {
  for (const made of extra.watches ?? []) {
    if (made.chain !== null) (made.chain as unknown as Chain<Monitor>).remove(made);
    else {
      runtime.remoteMonitors.remove(made.node, made);
      runtime.remote.demonitor(pid, made.ref, made.target);
    }
  }
}

function announceToLinks(runtime: Runtime, pid: Pid, extra: Extras, reason: ExitReason): void {
  for (const made of extra.links ?? []) {
    const { partner } = made;
    if (partner.nc !== 0) {
      runtime.remoteLinks.remove(partner.nc, made);
      if (made.isActive) sendReason((why) => runtime.remote.exit(pid, partner, why), reason);
      continue;
    }
    const cell = cellOf(partner);
    if (cell === undefined) continue;
    if (cell.extra?.links?.remove(pid) !== undefined) signalExit(cell, pid, reason, true); // C12
  }
}

function announceToWatchers(runtime: Runtime, pid: Pid, extra: Extras, reason: ExitReason): void {
  const { watchers } = extra;
  if (watchers === null) return;
  for (let made = watchers.shift(); made !== null; made = watchers.shift()) {
    if (made.owner.nc !== 0) {
      runtime.remoteWatchers.take(made.owner, made.ref);
      const { owner, ref } = made;
      sendReason((why) => runtime.remote.monitorExit(pid, owner, ref, why), reason);
      continue;
    }
    const cell = cellOf(made.owner);
    if (cell === undefined) continue;
    cell.extra?.watches?.take(made.ref);
    runtime.aliases.endWithMonitor(made.ref);
    deliver(cell, new Down(made.ref, made.target, reason));
  }
}

// -- loss of a node --------------------------------------------------------------------------------------------------

export interface Sweepable {
  sweep(): void;
}

/** A link to another node went with its session. Gives where it leaves a place to be cleared. */
export function loseLink(made: Link): Sweepable | undefined {
  const cell = cellOf(made.owner);
  const links = cell?.extra?.links;
  if (cell === undefined || !links) return undefined;
  links.lose(made);
  if (made.isActive) signalExit(cell, made.partner, 'noconnection', true, true);
  return links;
}

/** A monitor of an actor of another node went with its session. Gives where it leaves a place to be cleared. */
export function loseMonitor(runtime: Runtime, made: Monitor): Sweepable | undefined {
  const cell = cellOf(made.owner);
  const watches = cell?.extra?.watches;
  if (cell === undefined || watches?.lose(made) !== true) return undefined;
  runtime.aliases.endWithMonitor(made.ref);
  deliver(cell, new Down(made.ref, made.target, 'noconnection'));
  return watches;
}
