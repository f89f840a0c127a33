import type { Pid } from '../term/index.ts';

/** A table with entries of actors. It drops those of an actor that died, before the death is announced (A8). */
export interface Holder {
  release(pid: Pid): void;
}

/** Local names, as the actor floor sees them. The registry floor implements it. */
export interface NamesPort extends Holder {
  /** Throws SNOW_ERR_NAME_TAKEN (details.holder) or SNOW_ERR_BAD_NAME. The PID is alive and local. */
  register(name: string, pid: Pid): void;
  /** False when no actor had the name. */
  unregister(name: string): boolean;
  whereis(name: string): Pid | undefined;
  registered(): string[];
  /** All names, the oldest first. */
  keys(): IterableIterator<string>;
  readonly size: number;
  /** The names of a local actor. */
  namesOf(pid: Pid): Iterable<string>;
}
