// Children for the tests of supervisors: they write down when they start and end, and obey orders.
import { CallError, defineActor, Exit, type Self } from '../../../ts/actor/index.ts';
import { call, cast, defineServer } from '../../../ts/behaviour/index.ts';
import {
  type ChildInfo,
  type ChildOptions,
  type ChildSpec,
  whichChildren,
} from '../../../ts/supervisor/index.ts';
import type { Pid } from '../../../ts/term/index.ts';
import type { TestRuntime } from '../../../ts/testing/index.ts';

/** What children do in their init, by name; changed by tests while they run. */
export type Mood = 'fine' | 'throw' | 'ignore' | 'slow';

export interface Family {
  readonly log: string[];
  readonly moods: Map<string, Mood>;
  /** A child that logs `+id` and `-id`, and fails to start as long as its mood says so. */
  child(id: string, options?: ChildOptions): ChildSpec;
  /** Takes what was logged since the last check. */
  logged(): string[];
  pid(supervisor: Pid, id: string): Promise<Pid>;
  pids(supervisor: Pid): Promise<Record<string, ChildInfo['pid']>>;
  /** Ends a child by itself with `reason`, and lets everything settle. */
  end(supervisor: Pid, id: string, reason: unknown): Promise<void>;
}

export function family(kit: TestRuntime): Family {
  const log: string[] = [];
  const moods = new Map<string, Mood>();
  const member = defineServer({
    name: 'member',
    init: async (self, id: string) => {
      self.trapExit(true);
      const mood = moods.get(id) ?? 'fine';
      if (mood === 'slow') await self.sleep(100);
      if (mood === 'ignore') return self.exit('normal');
      log.push(`+${id}`);
      if (mood === 'throw') throw new Error(`${id} does not want to`);
      return { id };
    },
    calls: { who: ({ state }) => state.id },
    casts: { end: ({ stop }, reason: unknown) => stop(reason) },
    terminate: ({ state }) => void log.push(`-${state.id}`),
  });
  const pids = async (supervisor: Pid) => {
    const children = await whichChildren(kit, supervisor);
    return Object.fromEntries(children.map(({ id, pid }) => [id, pid]));
  };
  const pid = async (supervisor: Pid, id: string) => (await pids(supervisor))[id] as Pid;
  return {
    log,
    moods,
    // Not `childSpec`, which refuses what some tests give to a supervisor.
    child: (id, options = {}) => ({ id, start: member as never, args: [id], ...options }),
    logged: () => log.splice(0),
    pid,
    pids,
    end: async (supervisor, id, reason) => {
      cast(kit, (await pid(supervisor, id)) as never, 'end' as never, reason as never);
      await kit.settle();
    },
  };
}

/** Ignores every request to end, until it is killed. */
export const stubborn = defineActor('stubborn', async (self: Self) => {
  self.trapExit(true);
  for (;;) await self.receive(Exit);
});

/** Takes `ms` to end after it was asked to. */
export const leisurely = defineActor('leisurely', async (self: Self, ms: number) => {
  self.trapExit(true);
  const { reason } = await self.receive(Exit);
  await self.sleep(ms);
  self.exit(reason);
});

export { CallError, call };
