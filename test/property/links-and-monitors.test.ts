// Random actors that link, monitor, exit, kill, trap and take it all back: the runtime and a plain model must agree, after
// every step, on who lives, who is linked to whom, who watches whom, and what lies in every mailbox.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Down, Exit, type Self } from '../../ts/actor/index.ts';
import { Pid, type Ref } from '../../ts/term/index.ts';
import { startTestRuntime, type TestRuntime } from '../../ts/testing/index.ts';
import { checkAsync } from '../support/seed.ts';
import { bySender, LinksModel, type Mail } from './links-model.ts';

const who = fc.nat({ max: 11 });
const reason = fc.constantFrom<unknown[]>('normal', 'boom', 'kill', 'killed', 'shutdown', { shutdown: [1] });
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constantFrom('link', 'unlink', 'monitor', 'send'), a: who, b: who }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('exit' as const), a: who, b: who, reason }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('leave' as const), a: who, reason }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('trap' as const), a: who, on: fc.boolean() }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('demonitor' as const),
      a: who,
      at: fc.nat(),
      flush: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('spawn' as const),
      a: who,
      link: fc.boolean(),
      monitor: fc.boolean(),
      traps: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('settle' as const) }) },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** The control block of an actor, which is its `self`, for a look at what is tied to it. */
interface Inside extends Self {
  readonly extra: {
    readonly links: Iterable<{ partner: Pid }> | null;
    readonly watches: Iterable<{ ref: Ref }> | null;
    readonly watchers: { readonly size: number } | null;
  } | null;
}

/** The real actors beside the model. */
class Pair {
  private readonly kit: TestRuntime;
  private readonly model = new LinksModel();
  private readonly pids: Pid<unknown>[] = [];
  private readonly refs: Ref[] = [];

  constructor(kit: TestRuntime) {
    this.kit = kit;
    for (let n = 0; n < 4; n++) this.spawn(undefined, { link: false, monitor: false, traps: n % 2 === 0 });
  }

  async take(one: Step): Promise<void> {
    if (one.do === 'settle') return this.kit.settle();
    const a = one.a % this.pids.length;
    const inside = this.inside(a);
    if (inside === undefined) return;
    if (one.do === 'spawn') this.spawn(a, one);
    else if (one.do === 'demonitor') this.demonitor(a, inside, one);
    else this.act(a, inside, one);
  }

  private act(a: number, self: Self, one: Exclude<Step, { do: 'spawn' | 'demonitor' | 'settle' }>): void {
    const { model } = this;
    const b = 'b' in one ? one.b % this.pids.length : a;
    const pid = this.pids[b] as Pid<unknown>;
    switch (one.do) {
      case 'link':
        self.link(pid);
        return model.link(a, b);
      case 'unlink':
        self.unlink(pid);
        return model.unlink(a, b);
      case 'monitor':
        this.refs.push(self.monitor(pid));
        return model.monitor(a, b);
      case 'send':
        self.send(pid, [a, this.refs.length]);
        return model.send(a, b, this.refs.length);
      case 'exit':
        leaving(() => self.sendExit(pid, one.reason));
        return model.exit(a, b, one.reason);
      case 'leave':
        leaving(() => self.exit(one.reason));
        return model.die(a, one.reason);
      case 'trap':
        expect(self.trapExit(one.on)).toBe(model.at(a).traps);
        model.at(a).traps = one.on;
    }
  }

  private spawn(
    parent: number | undefined,
    given: { link: boolean; monitor: boolean; traps: boolean },
  ): void {
    const options = { link: given.link, monitor: given.monitor, trapExit: given.traps };
    const body = async (self: Self): Promise<void> => void (await self.receive('never'));
    if (parent === undefined) this.pids.push(this.kit.runtime.spawnWith({ trapExit: given.traps }, body));
    else {
      const self = this.inside(parent) as Self;
      const made = self.spawnWith(options, body);
      this.pids.push(made instanceof Pid ? made : made.pid);
      if (!(made instanceof Pid)) this.refs.push(made.ref);
    }
    this.model.spawn(parent, given);
  }

  private demonitor(a: number, self: Self, { at, flush }: { at: number; flush: boolean }): void {
    if (this.refs.length === 0) return;
    const monitor = at % this.refs.length;
    const was = self.demonitor(this.refs[monitor] as Ref, { flush });
    expect(was).toBe(this.model.demonitor(a, monitor, flush));
  }

  agree(after: string): void {
    const { model, kit, pids } = this;
    const living = pids.map((pid) => kit.runtime.isAlive(pid));
    expect({ after, living }).toEqual({ after, living: model.actors.map(({ isAlive }) => isAlive) });
    for (const [index, pid] of pids.entries()) {
      const mail = bySender(kit.mailbox(pid).map((message) => this.mailOf(message)));
      expect({ after, index, mail }).toEqual({ after, index, mail: model.mailOf(index) });
      if (!living[index]) continue;
      const { extra } = this.inside(index) as Inside;
      const counts = {
        links: [...(extra?.links ?? [])].map(({ partner }) => this.indexOf(partner)).toSorted(byNumber),
        watches: [...(extra?.watches ?? [])].length,
        watchers: extra?.watchers?.size ?? 0,
      };
      const active = model.monitors.filter(({ isActive }) => isActive);
      expect({ after, index, counts }).toEqual({
        after,
        index,
        counts: {
          links: [...model.at(index).links].toSorted(byNumber),
          watches: active.filter(({ owner }) => owner === index).length,
          watchers: active.filter(({ target }) => target === index).length,
        },
      });
    }
  }

  /** Everybody is killed, one after the other, and nothing is left. */
  end(): void {
    for (const [index, pid] of this.pids.entries()) {
      this.kit.runtime.sendExit(pid, 'kill');
      this.model.die(index, 'killed');
      this.agree(`the end of ${index}`);
    }
    expect(this.kit.runtime.size).toBe(0);
  }

  private mailOf(message: unknown): Mail {
    if (message instanceof Exit) {
      return { kind: 'exit', from: this.indexOf(message.from), what: message.reason };
    }
    if (message instanceof Down) {
      const monitor = this.refs.findIndex((ref) => ref.equals(message.ref));
      return { kind: 'down', from: this.indexOf(message.from as Pid), what: message.reason, monitor };
    }
    const [from, what] = message as [number, unknown];
    return { kind: 'text', from, what };
  }

  private indexOf(pid: Pid): number {
    return this.pids.findIndex((one) => one.equals(pid));
  }

  private inside(index: number): Inside | undefined {
    return this.pids[index]?.route as Inside | undefined;
  }
}

const byNumber = (a: number, b: number): number => a - b;

/** What ends the actor that calls it throws, to leave its code. */
function leaving(act: () => void): void {
  try {
    act();
  } catch (error) {
    expect(error).toMatchObject({ code: 'SNOW_ERR_ACTOR_DEAD' });
  }
}

describe('links, monitors and exits', () => {
  it('C, D, E do what the model does, whoever ends', async () => {
    await checkAsync(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const kit = startTestRuntime();
        try {
          const pair = new Pair(kit);
          for (const one of steps) {
            await pair.take(one);
            pair.agree(JSON.stringify(one));
          }
          pair.end();
        } finally {
          kit.stop();
        }
      }),
      { numRuns: 400 },
    );
  });
});
