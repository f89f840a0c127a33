import type { Pid } from '../term/index.ts';

/** An actor's control block. @internal */
export declare class Cell {
  readonly pid: Pid;
}
