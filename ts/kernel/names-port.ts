import type { Pid } from '../term/index.ts';

/** Local names of actors. ts/registry implements it. */
export interface NamesPort {
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
  /** Frees the names of a dead actor: before its death is announced (A8). */
  release(pid: Pid): void;
}
