import { badArgument, checkNodeText, kindOf, SnowmeshError } from '../errors/index.ts';
import type { NodeAddress } from '../kernel/index.ts';
import { Pid, Ref } from '../term/index.ts';

/** Where a message can be sent: a PID, a local name, a name on a node (`{ name, node }`), or an alias (a Ref). */
export type Dest<M = unknown> = Pid<M> | string | NodeAddress | Ref;

const DEFINITION =
  'The destination is a definition, not an actor: start it and use the PID, or use its named(name) or at(name, node).';
const WANTED = 'a PID, a local name, { name, node } or an alias';

/** Throws SNOW_ERR_BAD_DEST when `to` is not a {@link Dest}, SNOW_ERR_NODE_NAME when its `node` is not a node name. */
export function checkDest(to: unknown): void {
  if (typeof to === 'string' || to instanceof Pid || to instanceof Ref) return;
  if (isNodeAddress(to)) return checkNodeText(to.node);
  checkNoDefinition(to);
  throw refused(`A destination is ${WANTED}`, to);
}

/** Throws SNOW_ERR_BAD_DEST when `pid` is not a PID; `what` is the function's name for the message. */
export function checkPid(what: string, pid: unknown): void {
  if (!(pid instanceof Pid)) throw refused(`${what} needs a PID`, pid);
}

/** Throws SNOW_ERR_BAD_DEST when `target` is neither a PID nor a name, SNOW_ERR_NODE_NAME when its `node` is not a node name. */
export function checkTarget(what: string, target: unknown): void {
  if (target instanceof Pid || typeof target === 'string') return;
  if (isNodeAddress(target)) return checkNodeText(target.node);
  checkNoDefinition(target);
  throw refused(`${what} needs a PID, a local name or { name, node }`, target);
}

/** Throws SNOW_ERR_BAD_ARGUMENT when `ref` is not a Ref. */
export function checkRef(what: string, ref: unknown): void {
  if (!(ref instanceof Ref)) throw badArgument(what, 'a reference', ref);
}

/** What was given as a PID, for the text of an error: the PID, or what kind of value it is. */
export function givenPid(given: unknown): string {
  return given instanceof Pid ? given.toString() : kindOf(given);
}

/** A server, a supervisor, … before its start. */
function checkNoDefinition(to: unknown): void {
  if (typeof (to as { start?: unknown } | null | undefined)?.start === 'function')
    throw new SnowmeshError('SNOW_ERR_BAD_DEST', DEFINITION);
}

function isNodeAddress(to: unknown): to is NodeAddress {
  if (typeof to !== 'object' || to === null) return false;
  const { name, node } = to as { name?: unknown; node?: unknown };
  return typeof name === 'string' && typeof node === 'string';
}

function refused(wanted: string, given: unknown): SnowmeshError {
  const hint = given === undefined ? ' A look-up of a name that nobody has gives undefined.' : '';
  return new SnowmeshError('SNOW_ERR_BAD_DEST', `${wanted}, not ${kindOf(given)}.${hint}`);
}
