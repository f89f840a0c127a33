import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import { checkPid, checkTimeout, Down, Exit, type ExitReason, type Self } from '../actor/index.ts';
import { badArgument, checkOptionNames, type OptionNames } from '../errors/index.ts';
import { briefReason } from '../kernel/index.ts';
import { Pid, Ref } from '../term/index.ts';
import { type Expected, fail, matches, sameMessage } from './expectation.ts';
import type { TestRuntime } from './test-runtime.ts';

/** How long something that is expected may take. */
export interface ExpectOptions {
  /** ms of virtual time that may pass until then. Default 0: it must come without time passing. */
  readonly within?: number | undefined;
  /** ms of real time to wait for the outside world (files, sockets) when nothing else moves. Default 0. */
  readonly patience?: number | undefined;
}

/**
 * An actor that records the messages that it gets, and traps exits. Made by `kit.probe()`. An expectation removes the message that it
 * finds: each message is expected once, and the others stay for later expectations, in order. An expectation that fails rejects with
 * an AssertionError of `node:assert`, whose text has what the probe has got, and the last crash.
 *
 * @example
 * const probe = await kit.probe<string>();
 * probe.self.send(server, { from: probe.pid });
 * expect(await probe.expectMessage()).toBe('hello');
 */
export class Probe<M = unknown> {
  readonly pid: Pid<M>;
  private readonly kit: TestRuntime;
  private readonly record: unknown[] = [];
  /** Set when the probe has had its first turn, which `kit.probe()` waits for. */
  private own: Self<M> | undefined;

  /** @internal Use `kit.probe()`. */
  constructor(kit: TestRuntime, name?: string) {
    this.kit = kit;
    const { record } = this;
    const options = { label: 'probe', trapExit: true, ...(name === undefined ? undefined : { name }) };
    this.pid = kit.runtime.spawnWith(options, {
      kind: 'handler',
      name: 'probe',
      init: (own: Self<M>) => {
        this.own = own;
        return { onMessage: (message: unknown) => void record.push(message) };
      },
    });
  }

  /** The `self` of its actor: with it a test sends, links, monitors, spawns and calls as an actor does. */
  get self(): Self<M> {
    return this.own as Self<M>;
  }

  /** The messages that were received and not expected yet, oldest first. */
  get messages(): readonly unknown[] {
    return this.record;
  }

  /** Forgets everything received so far. */
  clear(): void {
    this.record.length = 0;
  }

  /**
   * Removes the oldest message that is as expected, and fails if there is none in time.
   *
   * @param expected A message class, a predicate, or a value that is compared in depth. Default: any message.
   * @param options By default it must come without time passing.
   * @returns The message.
   * @throws Rejects with an AssertionError; SNOW_ERR_BAD_OPTION, SNOW_ERR_BAD_TIME.
   * @example
   * await probe.expectMessage({ saved: 'hello' }, { within: 60_000 });
   */
  async expectMessage<T = M>(expected?: Expected<T>, options: ExpectOptions = {}): Promise<T> {
    checkExpectOptions('expectMessage', options);
    const any = expected === undefined;
    const message = await this.await((one) => any || matches(expected, one), options);
    if (message === NONE) {
      const wanted = any ? 'a message' : describe(expected);
      fail(
        `${this.label} should have received ${wanted}, but has ${inspect(this.record)}${this.crashes}`,
        this.record,
        expected,
      );
    }
    return message as T;
  }

  /**
   * Lets virtual time pass, and fails if a message is there then, or was before.
   *
   * @param within ms of virtual time. Default 0.
   * @throws Rejects with an AssertionError; SNOW_ERR_BAD_TIME.
   */
  async expectNoMessage(within = 0): Promise<void> {
    await this.kit.advance(checkTimeout(within));
    if (this.record.length > 0) {
      fail(`${this.label} should have received nothing, but has ${inspect(this.record)}`, this.record, []);
    }
  }

  /** Monitors an actor, for {@link expectDown}. Throws SNOW_ERR_BAD_DEST. */
  watch(target: Pid | string): Ref {
    return this.self.monitor(target);
  }

  /**
   * Removes the oldest `Down` of an actor that is monitored (`watch`), and fails if there is none in time, or its reason is another one.
   *
   * @param target The PID of the actor, or the reference of the monitor.
   * @param more The reason that it must have; and how long it may take, as for {@link expectMessage}.
   * @throws Rejects with an AssertionError; SNOW_ERR_BAD_ARGUMENT, SNOW_ERR_BAD_OPTION, SNOW_ERR_BAD_TIME.
   * @example
   * probe.watch(pid);
   * await stop(kit, pid, 'shutdown');
   * await probe.expectDown(pid, 'shutdown');
   */
  async expectDown(
    target: Pid | Ref,
    ...more: [] | [reason: ExitReason] | [reason: ExitReason, ExpectOptions]
  ): Promise<Down> {
    if (!(target instanceof Pid || target instanceof Ref))
      throw badArgument('expectDown', 'a PID or the reference of a monitor', target);
    const isOf = (message: unknown): boolean =>
      message instanceof Down && (target.equals(message.ref) || target.equals(message.from));
    return this.expectEnd(isOf, `the end of ${target}`, more) as Promise<Down>;
  }

  /** {@link expectDown} for the `Exit` of an actor that is linked to the probe. */
  async expectExit(
    from: Pid,
    ...more: [] | [reason: ExitReason] | [reason: ExitReason, ExpectOptions]
  ): Promise<Exit> {
    checkPid('expectExit', from);
    const isOf = (message: unknown): boolean => message instanceof Exit && message.from.equals(from);
    return this.expectEnd(isOf, `an exit from ${from}`, more) as Promise<Exit>;
  }

  private async expectEnd(
    isOf: (message: unknown) => boolean,
    what: string,
    more: readonly [] | readonly [unknown] | readonly [unknown, ExpectOptions],
  ): Promise<Down | Exit> {
    const [reason, options] = more;
    if (options !== undefined) checkExpectOptions(what, options);
    const message = await this.await(isOf, options ?? {});
    if (message === NONE) {
      fail(
        `${this.label} should have heard of ${what}, but has ${inspect(this.record)}${this.crashes}`,
        this.record,
        undefined,
      );
    }
    const end = message as Down | Exit;
    if (more.length > 0 && !sameMessage(reason, end.reason)) {
      fail(
        `${what} should have had the reason ${inspect(reason)}, not ${inspect(end.reason)}`,
        end.reason,
        reason,
      );
    }
    return end;
  }

  /** Looks, then lets time pass alarm by alarm, then waits for the outside world. */
  private async await(test: (message: unknown) => boolean, options: ExpectOptions): Promise<unknown> {
    const { kit } = this;
    const end = kit.clock.now() + (options.within ?? 0);
    const giveUp = performance.now() + (options.patience ?? 0);
    for (;;) {
      await kit.settle();
      const index = this.record.findIndex(test);
      if (index >= 0) return this.record.splice(index, 1)[0];
      if (kit.clock.next <= end) kit.clock.step(end);
      else if (performance.now() < giveUp) await sleep(1);
      else break;
    }
    kit.clock.step(end);
    return NONE;
  }

  private get label(): string {
    return `probe ${this.pid}`;
  }

  /** Often the cause, and printed nowhere: the last crash, for the text of a failure. */
  private get crashes(): string {
    const crashes = this.kit.logged('actor_crash');
    const { name, reason } = crashes.at(-1)?.facts ?? {};
    return crashes.length === 0
      ? ''
      : `; crashes: ${crashes.length}, the last of ${name}: ${briefReason(reason)}`;
  }
}

const EXPECT_OPTIONS: OptionNames<ExpectOptions> = { within: true, patience: true };

/** Throws SNOW_ERR_BAD_OPTION, SNOW_ERR_BAD_TIME. */
function checkExpectOptions(what: string, options: ExpectOptions): void {
  checkOptionNames(what, options, EXPECT_OPTIONS);
  if (options.within !== undefined) checkTimeout(options.within);
  if (options.patience !== undefined) checkTimeout(options.patience);
}

const NONE: unique symbol = Symbol('none');

function describe(expected: unknown): string {
  return typeof expected === 'function' ? expected.name || 'a message that fits' : inspect(expected);
}
