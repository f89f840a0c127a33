import type { Pid } from '../term/index.ts';

/** A table with entries of actors. It drops the entries of a dead actor before the death is announced (A8). */
export interface Holder {
  release(pid: Pid): void;
}

/** Local names of actors. ts/registry implements it. */
export interface NamesPort extends Holder {
  /** `pid` must be a living actor of this node. Throws SNOW_ERR_NAME_TAKEN (details.holder), SNOW_ERR_BAD_NAME. */
  register(name: string, pid: Pid): void;
  /** Returns false when no actor had the name. */
  unregister(name: string): boolean;
  whereis(name: string): Pid | undefined;
  registered(): string[];
  /** All names, oldest first. */
  keys(): IterableIterator<string>;
  readonly size: number;
  /** The names of a local actor. */
  namesOf(pid: Pid): Iterable<string>;
}
