import {
  type ActorFn,
  type AnySelf,
  type CallOptions,
  checkCallOptions,
  checkSelf,
  checkTimeout,
  handOver,
  inBudget,
  partsOf,
  promised,
  request,
  type Self,
} from '../actor/index.ts';
import {
  checkFlag,
  checkFunction,
  checkOptionNames,
  type OptionNames,
  SnowmeshError,
} from '../errors/index.ts';
import { briefReason, never } from '../kernel/index.ts';
import { copyTerm, type Pid } from '../term/index.ts';

/** The outcome of a task: its value, or the exit reason of its actor. */
export type TaskOutcome<R> =
  | { readonly ok: true; readonly value: R }
  | { readonly ok: false; readonly reason: unknown };

/** Why the owner of a task got no value. */
export type TaskState = 'timeout' | 'exit' | 'not_owner' | 'awaited';

/** The error of a task without a value: `state` is the cause, `reason` the exit reason. Code SNOW_ERR_TASK. */
export class TaskError extends SnowmeshError {
  readonly state: TaskState;
  readonly pid: Pid;
  /** The exit reason when `state` is `exit`. */
  readonly reason: unknown;

  /** @internal */
  constructor(state: TaskState, pid: Pid, message: string, reason?: unknown) {
    super('SNOW_ERR_TASK', message, { details: { state, reason } });
    this.name = 'TaskError';
    this.state = state;
    this.pid = pid;
    this.reason = reason;
  }
}

/** The options of {@link task}. */
export interface TaskOptions {
  /** Whether it is linked to its owner: its crash then ends the owner, and the owner's end ends the task. Default true. */
  readonly link?: boolean | undefined;
}

const TASK_OPTIONS: OptionNames<TaskOptions> = { link: true };

/**
 * A function that runs in its own actor, and whose value its owner can await once, as Elixir's `Task`.
 *
 * The value does not go through the owner's mailbox, so a task can be awaited in a server as well. Its end does only when a linked task
 * failed and the owner traps exits: as an Exit. The value is copied, like a message.
 */
export class Task<R> {
  readonly pid: Pid;
  private readonly owner: AnySelf;
  private readonly slot: Slot<R>;
  private isAwaited = false;

  /** @internal */
  constructor(owner: AnySelf, pid: Pid, slot: Slot<R>) {
    this.owner = owner;
    this.pid = pid;
    this.slot = slot;
    slot.watch(owner, pid);
  }

  /**
   * Waits for the task's value. After `timeout` ms the task is killed.
   *
   * @param self The owner's `self`: only the actor that started the task may await it, and only once.
   * @param timeout ms; default 5000; Infinity is valid.
   * @throws TaskError: `timeout`, `exit` with the reason (for an unlinked task, or when the owner traps exits: otherwise the failure ends
   *   the owner), `not_owner`, `awaited`.
   * @example
   * const page = task(self, () => load(url));
   * const text = await page.await(self);
   */
  await(self: AnySelf, timeout = 5000): Promise<R> {
    return promised(self, this.value(self, timeout));
  }

  private async value(self: AnySelf, timeout: number): Promise<R> {
    this.claim(self, timeout);
    const outcome = await this.slot.wait(timeout);
    if (outcome === undefined) {
      await this.end('kill', Number.POSITIVE_INFINITY);
      throw new TaskError(
        'timeout',
        this.pid,
        `task ${this.pid} had no value after ${timeout} ms and was killed: pass a longer timeout`,
      );
    }
    if (outcome.ok) return outcome.value;
    throw new TaskError(
      'exit',
      this.pid,
      `task ${this.pid} ended without a value: ${briefReason(outcome.reason)}`,
      outcome.reason,
    );
  }

  /**
   * Waits for the outcome of the task. Returns undefined when it still runs after `timeout` ms; it can be called again then.
   *
   * @param timeout ms; default 5000; 0 only checks whether the task has ended.
   */
  yield(self: AnySelf, timeout = 5000): Promise<TaskOutcome<R> | undefined> {
    return promised(self, this.look(self, timeout));
  }

  private async look(self: AnySelf, timeout: number): Promise<TaskOutcome<R> | undefined> {
    this.claim(self, timeout);
    const outcome = await this.slot.wait(timeout);
    if (outcome === undefined) this.isAwaited = false;
    return outcome;
  }

  /**
   * Sends `shutdown` to the task, and `kill` after `timeout` ms, and waits for its end.
   *
   * @returns Its outcome if it had ended by itself before, else undefined.
   */
  shutdown(self: AnySelf, timeout = 5000): Promise<TaskOutcome<R> | undefined> {
    return promised(self, this.stop(self, timeout));
  }

  private async stop(self: AnySelf, timeout: number): Promise<TaskOutcome<R> | undefined> {
    this.claim(self, timeout);
    const before = this.slot.outcome;
    if (before !== undefined) return before;
    const outcome = await this.end('shutdown', timeout);
    return outcome.ok ? outcome : undefined;
  }

  private claim(self: AnySelf, timeout: number): void {
    checkSelf('a task', self);
    checkTimeout(timeout);
    if (!self.pid.equals(this.owner.pid)) {
      throw new TaskError(
        'not_owner',
        this.pid,
        `task ${this.pid} belongs to ${this.owner.pid}, not to ${self.pid}: await it in the actor that started it`,
      );
    }
    if (this.isAwaited) {
      throw new TaskError('awaited', this.pid, `task ${this.pid} was awaited before: keep the value`);
    }
    this.isAwaited = true;
  }

  private async end(reason: 'shutdown' | 'kill', timeout: number): Promise<TaskOutcome<R>> {
    this.owner.unlink(this.pid);
    this.owner.sendExit(this.pid, reason);
    const outcome = await this.slot.wait(timeout);
    return outcome ?? this.end('kill', Number.POSITIVE_INFINITY);
  }
}

/**
 * Runs `fn` in an actor of its own and returns at once.
 *
 * @param self The owner.
 * @param fn The function to run; gets the task's own `self`. Its result must be sendable.
 * @example
 * const [a, b] = [task(self, () => half(1)), task(self, () => half(2))];
 * const sum = (await a.await(self)) + (await b.await(self));
 */
export function task<R>(
  self: AnySelf,
  fn: (self: Self) => R | PromiseLike<R>,
  options: TaskOptions = {},
): Task<R> {
  checkSelf('task', self);
  checkFunction('task', fn);
  checkOptionNames('task', options, TASK_OPTIONS);
  checkFlag('task', 'link', options.link);
  const slot = new Slot<R>();
  const body = taskBody(fn, slot, self.pid);
  const pid = self.spawnWith({ link: options.link ?? true, label: labelOf(fn) }, body);
  return new Task(self, pid, slot);
}

/**
 * {@link task}, as a temporary child of a dynamic supervisor. It is linked to the supervisor and not to its owner, so
 * it is stopped with the supervisor, and its crash does not end its owner. Resolves when the task runs.
 *
 * @param supervisor PID or local name of a dynamic supervisor without a template.
 * @param options How long to wait for the supervisor: `timeout` in ms, default Infinity; `signal`.
 * @throws SNOW_ERR_START when the supervisor has no room for it; CallError when there is no such supervisor.
 * @example
 * await defineDynamicSupervisor({ name: 'tasks' }).startWith(node, { name: 'tasks' });
 * const page = await taskUnder(self, 'tasks', () => load(url));
 * const text = await page.await(self);
 */
export function taskUnder<R>(
  self: AnySelf,
  supervisor: Pid | string,
  fn: (self: Self) => R | PromiseLike<R>,
  options: CallOptions = {},
): Promise<Task<R>> {
  return promised(self, started(self, supervisor, fn, options));
}

async function started<R>(
  ...[self, supervisor, fn, options = {}]: Parameters<typeof taskUnder<R>>
): Promise<Task<R>> {
  checkSelf('taskUnder', self);
  checkFunction('taskUnder', fn);
  checkCallOptions('taskUnder', options);
  const slot = new Slot<R>();
  const spec = { id: labelOf(fn), start: taskBody(fn, slot), restart: 'temporary' };
  const { ticket, withdraw } = handOver(self.runtime, spec);
  let result: { ok: true; pid: Pid } | { ok: false; error: string };
  try {
    result = await request(self, supervisor as string, 'startChild', [ticket], {
      ...options,
      timeout: options.timeout ?? Number.POSITIVE_INFINITY,
    });
  } catch (error) {
    withdraw();
    throw error;
  }
  if (result.ok) return new Task(self, result.pid, slot);
  throw new SnowmeshError('SNOW_ERR_START', `the task did not start: ${result.error}`, {
    details: { reason: result.error },
  });
}

/** Holds the outcome of a task; its owner waits for it here. */
class Slot<R> {
  outcome: TaskOutcome<R> | undefined = undefined;
  private owner: AnySelf | undefined = undefined;
  private waiter: ((outcome: TaskOutcome<R> | undefined) => void) | undefined = undefined;

  /** Called when the task ends without a value. */
  watch(owner: AnySelf, pid: Pid): void {
    this.owner = owner;
    if (!owner.isAlive(pid)) this.fill({ ok: false, reason: 'noproc' });
    else owner.runtime.onDeath(pid, (_pid: Pid, reason?: unknown) => this.fill({ ok: false, reason }));
  }

  fill(outcome: TaskOutcome<R>): void {
    if (this.outcome !== undefined) return;
    this.outcome = outcome;
    const { waiter } = this;
    this.waiter = undefined;
    // A dead owner must not continue (A7). When the task has ended, its links are told next: the owner may end with it.
    queueMicrotask(() => this.owner?.isAlive(this.owner.pid) === true && waiter?.(outcome));
  }

  wait(timeout: number): Promise<TaskOutcome<R> | undefined> {
    const owner = this.owner as AnySelf;
    if (!owner.isAlive(owner.pid)) return never();
    if (this.outcome !== undefined || timeout === 0) {
      const { runtime, cell } = partsOf(owner);
      return inBudget(runtime, cell, Promise.resolve(this.outcome));
    }
    return new Promise((resolve) => {
      const timer =
        timeout === Number.POSITIVE_INFINITY
          ? undefined
          : owner.after(timeout, () => {
              this.waiter = undefined;
              resolve(undefined);
            });
      this.waiter = (outcome) => {
        if (timer !== undefined) owner.cancelTimer(timer);
        resolve(outcome);
      };
    });
  }
}

/** The body of a task. With its value it unlinks `owner`, which then gets no exit signal of its end. */
function taskBody<R>(
  fn: (self: Self) => R | PromiseLike<R>,
  slot: Slot<R>,
  owner?: Pid,
): ActorFn<unknown, []> {
  return async (self) => {
    const value = copyTerm(await fn(self));
    if (owner !== undefined) self.unlink(owner);
    slot.fill({ ok: true, value });
  };
}

function labelOf(fn: { readonly name: string }): string {
  return fn.name === '' ? 'task' : `task ${fn.name}`;
}
