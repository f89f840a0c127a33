// A runtime whose inbound calls have small limits, and a peer that calls by hand.
import { ReplyStatus } from '../../../ts/actor/index.ts';
import { InboundCalls } from '../../../ts/call/index.ts';
import { Pid, Ref } from '../../../ts/term/index.ts';
import { startTestRuntime, type TestRuntime } from '../../../ts/testing/index.ts';

/** The numbers of two peers. */
export const NC = 7;
export const OTHER_NC = 8;
export const FOR_EVER = Number.POSITIVE_INFINITY;

export class PeerCalls {
  readonly kit: TestRuntime = startTestRuntime();
  readonly calls: InboundCalls;
  /** Answers as they went out. */
  readonly answers: [ref: number, status: string | undefined, value: unknown][] = [];

  constructor() {
    const { runtime } = this.kit;
    const names = Object.fromEntries(Object.entries(ReplyStatus).map(([name, status]) => [status, name]));
    runtime.remote.reply = (_from, ref, status, value) =>
      void this.answers.push([ref.id, names[status], value]);
    const limits = { perPeer: 4, memory: 10_000, blocked: 2, blockedBytes: 100 };
    this.calls = new InboundCalls(runtime, runtime.sender, limits);
  }

  arrive(to: Pid<never>, id: number, request: unknown, nc = NC, ms = FOR_EVER, bytes = 0): void {
    const cell = this.kit.runtime.table.get(to.local);
    this.calls.arrive(cell, new Pid(nc, 1), new Ref(nc, 1, id), ms, request, bytes);
  }

  /** A node is lost: all steps of that at once. */
  drop(nc: number): void {
    Array.from(this.calls.nodeLost(nc));
  }
}
