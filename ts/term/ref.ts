import { inspect } from 'node:util';

/**
 * A reference: identifies a monitor, a timer, a call or an alias. Unique as long as its node runs.
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
  /** A counter for a reference of this node; the lower 53 bits of the id for one of another node. */
  readonly id: number;
  /** @internal The upper 11 bits of the id of another node. */
  readonly idHigh: number;
  /** Private, so that equal references compare as equal whatever a mailbox remembers of them. */
  #place: object | undefined = undefined;

  /** @internal References come from `makeRef`, `monitor`, timers, aliases or messages. */
  constructor(nc: number, local: number, id: number, idHigh = 0) {
    this.nc = nc;
    this.local = local;
    this.id = id;
    this.idHigh = idHigh;
  }

  /** @internal The position in the mailbox of the actor that made it (`FreshKey`). */
  get place(): object | undefined {
    return this.#place;
  }

  set place(place: object | undefined) {
    this.#place = place;
  }

  /** A string that is equal for equal references of one node. */
  get key(): string {
    const { nc, local, id, idHigh } = this;
    return idHigh === 0 ? `${nc}.${local}.${id}` : `${nc}.${local}.${id}.${idHigh}`;
  }

  /** Whether `other` is the same reference. */
  equals(other: unknown): boolean {
    return (
      other === this ||
      (other instanceof Ref &&
        other.id === this.id &&
        other.nc === this.nc &&
        other.local === this.local &&
        other.idHigh === this.idHigh)
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
