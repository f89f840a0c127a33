// Two nodes in two operating-system processes: this one sends, a forked one (receiver.ts) receives.
import { randomBytes } from 'node:crypto';
import { defineActor, type Pid } from '../../ts/index.ts';
import { type Lab, openLab } from '../lab.ts';
import { ask, forkMember } from './member-process.ts';

/** Settings of both nodes that a case may vary. */
export interface DuetOptions {
  /** Longest busy wait for more bytes after traffic, in µs; 0: none. The default of the node when left out. */
  readonly spinUs?: number;
}

/** Launcher → receiver. */
export type DuetOrder = { readonly start: { cookie: string; options: DuetOptions } } | { readonly cpu: true };
/** Receiver → launcher. */
export type DuetReport = { readonly up: string } | { readonly cpu: number };

export interface Duet {
  readonly lab: Lab;
  /** Name of the other node. */
  readonly other: string;
  /** CPU time of the other process so far. Unit: seconds. */
  otherCpu(): Promise<number>;
  /** Ends the other process with SIGKILL; false if it has ended already. */
  kill(): boolean;
  stop(): Promise<void>;
}

/** A request to the actor `door` on the other node; it answers with the PID of a new actor. */
export type Wish =
  | readonly ['sink', Pid<unknown>, number]
  | readonly ['echo', Pid<unknown>]
  | readonly ['idle', Pid<unknown>, count: number];
export const DOOR = 'bench-door';

/** Ends at once. The other node exposes it. */
export const noop = defineActor('bench-noop', () => {});

export async function openDuet(options: DuetOptions = {}): Promise<Duet> {
  const cookie = randomBytes(32).toString('base64url');
  const lab = await openLab({ name: 'sender@127.0.0.1:0', cookie, ...options });
  const receiver = forkMember('receiver');
  const kill = (): boolean => receiver.kill('SIGKILL');
  const gone = new Promise((resolve) => receiver.once('exit', resolve));
  const other = (await ask<{ up: string }>(receiver, { start: { cookie, options } } satisfies DuetOrder)).up;
  await lab.connect(other);
  return {
    lab,
    other,
    otherCpu: async () => (await ask<{ cpu: number }>(receiver, { cpu: true } satisfies DuetOrder)).cpu,
    kill,
    async stop() {
      if (receiver.connected) receiver.disconnect();
      await lab.stop();
      await gone;
    },
  };
}
