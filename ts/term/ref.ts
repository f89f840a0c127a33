import { inspect } from 'node:util';

/**
 * A reference: unique in its node's life, it names a monitor, a timer, a call or an alias.
 *
 * @example
 * const ref = self.makeRef();
 * ref.equals(ref); // true
 */
export class Ref {
  /** Node number of the owner; 0 is this node. */
  readonly nc: number;
  /** Local id of the actor it belongs to; 0 when it belongs to none. */
  readonly local: number;
  /** Counts up within the node; below 2^53. */
  readonly id: number;

  /** @internal References come from `makeRef`, `monitor`, timers, aliases or messages. */
  constructor(nc: number, local: number, id: number) {
    this.nc = nc;
    this.local = local;
    this.id = id;
  }

  /** A string that is equal for equal references of one node. */
  get key(): string {
    return `${this.nc}.${this.local}.${this.id}`;
  }

  /** Whether `other` is the same reference. */
  equals(other: unknown): boolean {
    return (
      other === this ||
      (other instanceof Ref && other.id === this.id && other.nc === this.nc && other.local === this.local)
    );
  }

  toString(): string {
    return `#Ref<${this.nc === 0 ? '0' : `${this.nc >>> 8}.${this.nc & 0xff}`}.${this.local}.${this.id}>`;
  }

  toJSON(): string {
    return this.toString();
  }

  [inspect.custom](): string {
    return this.toString();
  }
}
