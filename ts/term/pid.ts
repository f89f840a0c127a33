import { inspect } from 'node:util';

/** Serial bits of a local id; the six bits above them are the scheduler index. */
export const SERIAL_LIMIT = 2 ** 34;
/** Local ids are below this (40 bits). */
export const LOCAL_LIMIT = 2 ** 40;

declare const MESSAGE: unique symbol;

/**
 * The address of one actor, here or on another node: an immutable value that travels in messages.
 *
 * `Pid<M>` is the PID of an actor that accepts messages of type `M`. Compare PIDs with {@link Pid.equals}, and use
 * {@link Pid.key} as a `Map` key. `node.nodeOf(pid)` is the name of its node. A PID belongs to the node object that made or received it: each
 * node numbers other nodes on its own.
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
  /** @internal The actor's control block while it lives on this node. */
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

/**
 * Parses the display form of a PID, for consoles and logs: `<0.17>`, `<2.17.1>`.
 *
 * Node numbers are valid only in the process that displayed them. The result holds no pointer to the actor: each send looks the
 * actor up.
 *
 * @returns The PID; undefined when the text is not a PID.
 * @example
 * parsePid('<0.17>')?.toString(); // '<0.17>'
 */
export function parsePid(text: string): Pid | undefined {
  const match = /^<(\d{1,5})\.(\d{1,13})(?:\.(\d{1,3}))?>$/.exec(text);
  if (match === null) return undefined;
  const [slot, local, creation] = [Number(match[1]), Number(match[2]), Number(match[3] ?? 0)];
  if (slot > 0xffff || creation > 0xff || local >= LOCAL_LIMIT) return undefined;
  // `<0.N>` is the short form of this node's own PIDs only.
  if ((match[3] === undefined) !== (slot === 0 && creation === 0)) return undefined;
  return new Pid(slot * 256 + creation, local);
}
