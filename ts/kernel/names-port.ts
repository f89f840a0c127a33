import type { Pid } from '../term/index.ts';

/** Something that holds entries of an actor and lets go of them when it dies, before anybody hears of the death (A8). */
export interface Holder {
  release(pid: Pid): void;
}

/** Local names, as the actor floor sees them. The registry floor implements it. */
export interface NamesPort extends Holder {
  /** Throws SNOW_ERR_NAME_TAKEN (details.holder) or SNOW_ERR_BAD_NAME. The PID is alive and local. */
  register(name: string, pid: Pid): void;
  /** False when nobody had the name. */
  unregister(name: string): boolean;
  whereis(name: string): Pid | undefined;
  registered(): string[];
}
