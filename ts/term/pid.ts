import { inspect } from 'node:util';

/** Serial bits of a local id; the six bits above them are the scheduler index. */
export const SERIAL_LIMIT = 2 ** 34;
/** Local ids are below this (40 bits). */
export const LOCAL_LIMIT = 2 ** 40;

declare const MESSAGE: unique symbol;

/** What a PID's hidden pointer may lead to: the control block of a living local actor. Opaque to this floor. */
export interface PidRoute {
  readonly pid: Pid;
}

/**
 * The address of one actor, here or on another node: an immutable value that travels in messages.
 *
 * `Pid<M>` says which messages the actor takes. Two PIDs are the same actor when {@link Pid.equals} says so; use
 * {@link Pid.key} as a `Map` key. A PID belongs to the node object that made or received it: its node number is that
 * node's own numbering.
 *
 * @example
 * const counts = new Map<string, number>();
 * counts.set(pid.key, 1);
 */
export class Pid<M = never> {
  declare readonly [MESSAGE]?: (message: M) => void;
  /** Node number: `slot * 256 + creation`; 0 is this node. */
  readonly nc: number;
  /** `scheduler * 2^34 + serial`, below 2^40. */
  readonly local: number;
  /** @internal The actor's control block while it lives here. */
  route: unknown;

  /** @internal PIDs come from spawning or from messages. */
  constructor(nc: number, local: number, route: unknown = undefined) {
    this.nc = nc;
    this.local = local;
    this.route = route;
  }

  /** Whether the actor belongs to this node (alive or not). */
  get isLocal(): boolean {
    return this.nc === 0;
  }

  /** A string that is equal for equal PIDs of one node. */
  get key(): string {
    return `${this.nc}.${this.local}`;
  }

  /** Whether `other` is a PID of the same actor. */
  equals(other: unknown): boolean {
    return other === this || (other instanceof Pid && other.nc === this.nc && other.local === this.local);
  }

  /** The 64-bit form: node slot 16, creation 8, local id 40. */
  toBigInt(): bigint {
    return (BigInt(this.nc) << 40n) | BigInt(this.local);
  }

  /** `<0.N>` for an actor of this node, `<slot.N.creation>` for another's. */
  toString(): string {
    return this.nc === 0 ? `<0.${this.local}>` : `<${this.nc >>> 8}.${this.local}.${this.nc & 0xff}>`;
  }

  toJSON(): string {
    return this.toString();
  }

  [inspect.custom](): string {
    return this.toString();
  }
}
