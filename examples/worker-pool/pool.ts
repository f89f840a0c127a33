// A pool of workers under a supervisor. The dispatcher gives each job to an idle worker and answers the asker when the
// worker is done. A job that crashes its worker harms only its asker; the supervisor brings the worker back, and it
// reports for work again.
import {
  cast,
  childSpec,
  Down,
  defineServer,
  defineSupervisor,
  type From,
  noReply,
  type Pid,
  type RefFor,
  type Self,
} from '../../ts/index.ts';

/** What a job came to: its value, or the reason its worker ended with. */
export type Outcome = { ok: true; value: number } | { ok: false; reason: unknown };

interface Job {
  readonly input: number;
  readonly from: From;
}

interface Desk {
  readonly idle: Pid[];
  readonly waiting: Job[];
  /** Jobs in hand, by the key of their worker's PID. */
  readonly busy: Map<string, Job>;
}

export const dispatcher = defineServer({
  name: 'dispatcher',
  init: (): Desk => ({ idle: [], waiting: [], busy: new Map() }),
  calls: {
    run: ({ state, self, from }, input: number) => {
      state.waiting.push({ input, from });
      handOut(self, state);
      return noReply<Outcome>();
    },
    load: ({ state }) => ({ idle: state.idle.length, busy: state.busy.size, waiting: state.waiting.length }),
  },
  casts: {
    /** A new worker is there. */
    ready: ({ state, self }, worker: Pid) => {
      self.monitor(worker);
      state.idle.push(worker);
      handOut(self, state);
    },
    done: ({ state, self }, worker: Pid, value: number) => {
      state.busy.get(worker.key)?.from.reply({ ok: true, value });
      state.busy.delete(worker.key);
      state.idle.push(worker);
      handOut(self, state);
    },
  },
  info: ({ state }, message: unknown) => {
    if (!(message instanceof Down)) return;
    const worker = message.from as Pid;
    state.busy.get(worker.key)?.from.reply({ ok: false, reason: message.reason });
    state.busy.delete(worker.key);
    const index = state.idle.findIndex((one) => one.equals(worker));
    if (index >= 0) state.idle.splice(index, 1);
  },
});

function handOut(self: Self, { idle, waiting, busy }: Desk): void {
  while (idle.length > 0 && waiting.length > 0) {
    const next = idle.shift() as RefFor<typeof worker>;
    const job = waiting.shift() as Job;
    busy.set(next.key, job);
    cast(self, next, 'work', job.input);
  }
}

/** Works on one job at a time; `compute` may crash. */
const worker = defineServer({
  name: 'worker',
  init: (self, compute: (input: number) => number) => {
    cast(self, dispatcher.named(DISPATCHER), 'ready', self.pid);
    return { compute };
  },
  casts: {
    work: ({ state, self }, input: number) => {
      cast(self, dispatcher.named(DISPATCHER), 'done', self.pid, state.compute(input));
    },
  },
});

const DISPATCHER = 'dispatcher';

/**
 * A dispatcher and its workers. When the dispatcher ends, the workers are restarted after it (rest_for_one), so that
 * they report to the new one; a worker's end is its own business.
 */
export const pool = defineSupervisor({
  name: 'pool',
  strategy: 'rest_for_one',
  children: (_self, size: number, compute: (input: number) => number) => [
    childSpec('dispatcher', dispatcher, { name: DISPATCHER }),
    childSpec('workers', workers, { args: [size, compute] }),
  ],
});

const workers = defineSupervisor({
  name: 'workers',
  intensity: 100,
  period: 1000,
  children: (_self, size: number, compute: (input: number) => number) =>
    Array.from({ length: size }, (_, index) => childSpec(`worker-${index}`, worker, { args: [compute] })),
});

/** Where jobs go. */
export const jobs = dispatcher.named(DISPATCHER);
