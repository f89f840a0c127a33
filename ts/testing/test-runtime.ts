import { setImmediate as nextTurn } from 'node:timers/promises';
import { inspect } from 'node:util';
import { checkTimeout, type Logger, Runtime } from '../actor/index.ts';
import { badArgument, checkArray } from '../errors/index.ts';
import { LocalNames } from '../registry/index.ts';
import type { Pid } from '../term/index.ts';
import { fail, sameMessage } from './expectation.ts';
import { Probe } from './probe.ts';
import { VirtualClock } from './virtual-clock.ts';

/** One line that actors logged. */
export interface LogLine {
  readonly level: 'error' | 'warn' | 'info' | 'debug';
  readonly facts: Readonly<Record<string, unknown>>;
  readonly message: string;
}

/** Turns of the event loop without work after which everything is taken to be at rest. */
const QUIET_TURNS = 3;

/**
 * Actors on virtual time: timers and time limits run when the test advances the time. `runtime` has the rest: names, `spawn`, `send`.
 *
 * It has a `runtime`, so it can be passed wherever a caller is wanted: `call(kit, pid, …)`, `server.start(kit, …)`.
 */
export class TestRuntime implements AsyncDisposable {
  readonly runtime: Runtime;
  readonly clock: VirtualClock;
  /** Everything that was logged, oldest first. Nothing of it is printed. */
  readonly logs: readonly LogLine[];

  constructor() {
    const logs: LogLine[] = [];
    this.logs = logs;
    this.clock = new VirtualClock();
    this.runtime = new Runtime({ names: new LocalNames(), clock: this.clock, logger: recorder(logs) });
  }

  /**
   * Starts an actor that records the messages that it gets.
   *
   * @param name A local name for it, so that `send('name', …)` reaches it.
   * @throws Rejects with SNOW_ERR_BAD_NAME, SNOW_ERR_NAME_TAKEN, SNOW_ERR_STOPPED.
   */
  async probe<M = unknown>(name?: string): Promise<Probe<M>> {
    const probe = new Probe<M>(this, name);
    await this.settle();
    return probe;
  }

  /**
   * Lets everything run that can run without time passing: until no actor has had work for some turns of the event
   * loop. It does not wait for files and sockets: use the option `patience` of a probe's expectations.
   */
  async settle(): Promise<void> {
    for (let quiet = 0; quiet < QUIET_TURNS; ) {
      await nextTurn();
      const wasDue = this.clock.step(this.clock.now());
      quiet = this.runtime.runSlice() || wasDue ? 0 : quiet + 1;
    }
  }

  /** Lets `ms` of virtual time pass: every timer in it fires at its moment, and all that follows from one runs before the next. Throws SNOW_ERR_BAD_TIME. */
  async advance(ms: number): Promise<void> {
    const end = this.clock.now() + checkTimeout(ms);
    do await this.settle();
    while (this.clock.step(end));
    await this.settle();
  }

  /** What waits in an actor's mailbox, oldest first. A dead actor has none. */
  mailbox(pid: Pid): unknown[] {
    return this.runtime.mailboxOf(pid);
  }

  /** Fails unless exactly `messages` wait in an actor's mailbox, compared by value. Lets everything settle first. */
  async expectMailbox(pid: Pid, messages: readonly unknown[]): Promise<void> {
    checkArray('expectMailbox', messages);
    await this.settle();
    const found = this.mailbox(pid);
    const same =
      found.length === messages.length && found.every((one, index) => sameMessage(one, messages[index]));
    if (!same)
      fail(
        `the mailbox of ${pid} should hold ${inspect(messages)}, but holds ${inspect(found)}`,
        found,
        messages,
      );
  }

  /** Lines of one event, such as `actor_crash`. */
  logged(event: string): LogLine[] {
    if (typeof event !== 'string') throw badArgument('logged', 'the name of an event', event);
    return this.logs.filter(({ facts }) => facts['event'] === event);
  }

  /** Ends every actor. */
  stop(): void {
    this.runtime.stop();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.stop();
    return Promise.resolve();
  }
}

/**
 * Starts a runtime for a test: virtual time, recorded logs, no node and no network. Works in any test runner.
 *
 * @example
 * const kit = startTestRuntime();
 * const probe = await kit.probe<string>();
 * probe.self.sendAfter(60_000, probe.pid, 'later');
 * await kit.advance(60_000);
 * await probe.expectMessage('later');
 */
export function startTestRuntime(): TestRuntime {
  return new TestRuntime();
}

function recorder(lines: LogLine[]): Logger {
  const at = (level: LogLine['level']) => (facts: object, message: string) =>
    void lines.push({ level, facts: facts as Record<string, unknown>, message });
  return { error: at('error'), warn: at('warn'), info: at('info'), debug: at('debug') };
}
