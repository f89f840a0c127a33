import {
  type Caller,
  type FunctionSpec,
  type Self,
  type StartOptions,
  startOrThrow,
} from '../actor/index.ts';
import { type AllOf, checkOptionNames, kindOf, type OptionNames, SnowmeshError } from '../errors/index.ts';
import { promiseOf } from '../kernel/index.ts';
import type { Pid } from '../term/index.ts';
import { type AutoShutdown, badChildSpec, type ChildPlan, type ChildSpec, planChild } from './child-spec.ts';
import { DynamicChildren } from './dynamic-children.ts';
import { RestartWindow } from './restart-window.ts';
import { StaticChildren, type Strategy } from './static-children.ts';
import { enlist } from './supervisor-list.ts';
import { SupervisorProcess } from './supervisor-process.ts';

/** The restarts after which a supervisor gives up. */
export interface RestartLimit {
  /** Most restarts within `period`: one more ends the supervisor. With 0 the first crash ends it. Default 1. */
  readonly intensity?: number | undefined;
  /** ms; a restart that is exactly this old still counts. Default 5000. */
  readonly period?: number | undefined;
}

/** The options of {@link defineSupervisor}. */
export interface SupervisorOptions<A extends readonly unknown[] = []> extends RestartLimit {
  /** For logs, and for spawning it from another node. */
  readonly name: string;
  /** Which children are restarted when one fails. Default `one_for_one`. */
  readonly strategy?: Strategy | undefined;
  /**
   * Whether the supervisor ends when any significant child ends, or the last one. The end of a transient child counts when it is clean,
   * the end of a temporary child always. Default `never`.
   */
  readonly autoShutdown?: AutoShutdown | undefined;
  /** The children in start order, or a function that returns them for the arguments of the supervisor. */
  readonly children: readonly ChildSpec[] | ((self: Self, ...args: A) => readonly ChildSpec[]);
}

/** The options of {@link defineDynamicSupervisor}. */
export interface DynamicSupervisorOptions extends RestartLimit {
  /** For logs, and for spawning it from another node. */
  readonly name: string;
  /** The spec of all children (simple_one_for_one); `startChild` then takes further arguments instead of a spec. */
  readonly child?: ChildSpec | undefined;
  /** Most children, including those being restarted. Default: no limit. */
  readonly maxChildren?: number | undefined;
}

/** A supervisor that can be started, spawned, or put in a child spec. */
export interface SupervisorSpec<A extends readonly unknown[] = []> extends FunctionSpec<unknown, A> {
  readonly type: 'supervisor';
  /**
   * Starts the supervisor, linked to `parent` if that is an actor. Resolves when all its children run. `stop(caller, pid, 'shutdown')`,
   * `node.stop()` and the end of its parent stop it and all its children, in order.
   *
   * @throws SNOW_ERR_START with the reason in `details.reason`; if a child did not start,
   *   `{ shutdown: { failedToStartChild: id, reason } }`.
   */
  start(parent: Caller, ...args: A): Promise<Pid>;
  /** `start` with a name, a node, a timeout, or without the link. */
  startWith(parent: Caller, options: StartOptions, ...args: A): Promise<Pid>;
}

/**
 * Describes a static supervisor: one with a list of children, as Erlang's `supervisor`.
 *
 * The children are started in order, each awaited, and stopped in reverse order. When a child ends, its `restart` decides whether it is
 * restarted, and the `strategy` which others are restarted with it. More than `intensity` restarts within `period` end all children
 * and then the supervisor, with `shutdown`.
 *
 * @throws SNOW_ERR_BAD_CHILD_SPEC for an invalid spec, or two with the same id; SNOW_ERR_BAD_OPTION.
 * @example
 * const shop = defineSupervisor({
 *   name: 'shop',
 *   strategy: 'rest_for_one',
 *   children: [childSpec('stock', stock), childSpec('till', till, { args: ['EUR'] })],
 * });
 * const pid = await shop.start(node);
 */
export function defineSupervisor<A extends readonly unknown[] = []>(
  options: SupervisorOptions<A>,
): SupervisorSpec<A> {
  checkOptionNames('defineSupervisor', options, STATIC_OPTIONS);
  const { name, strategy = 'one_for_one', autoShutdown = 'never', children } = options;
  const limit = checkedLimit(options);
  if (!STRATEGIES.has(strategy)) throw badOption(name, 'strategy', strategy);
  if (!AUTO_SHUTDOWNS.has(autoShutdown)) throw badOption(name, 'autoShutdown', autoShutdown);
  if (typeof children !== 'function' && !Array.isArray(children)) throw badOption(name, 'children', children);
  // A list is checked now; the result of a function when the supervisor starts.
  const fixed = typeof children === 'function' ? undefined : planAll(children, autoShutdown);
  return supervisorSpec(name, async (self, ...args) => {
    const process = new SupervisorProcess(self);
    const window = new RestartWindow(limit.intensity, limit.period);
    const list = new StaticChildren(process, { strategy, autoShutdown }, window);
    enlist(self, list);
    const specs = typeof children === 'function' ? children(self, ...args) : children;
    promiseOf(specs)?.catch(() => {}); // it is refused
    if (!Array.isArray(specs)) throw badOption(name, 'children', specs);
    const plans = fixed ?? planAll(specs, autoShutdown);
    const failure = await list.boot(plans);
    if (failure !== undefined) {
      self.exit({ shutdown: { failedToStartChild: failure.id, reason: failure.reason } });
    }
    self.initAck();
    await process.run(list);
  });
}

/**
 * Describes a supervisor for any number of children that are started and stopped at run time: starting, stopping and finding one
 * costs O(1), and when the supervisor ends all are stopped in parallel. The strategy is always one_for_one.
 *
 * With `child` all children have the same spec (simple_one_for_one), and `startChild` takes only further arguments.
 *
 * @example
 * const sessions = defineDynamicSupervisor({ name: 'sessions', maxChildren: 10_000 });
 * const pid = await sessions.start(self);
 * await startChild(self, pid, childSpec('session', session, { args: [user], restart: 'temporary' }));
 */
export function defineDynamicSupervisor(options: DynamicSupervisorOptions): SupervisorSpec {
  checkOptionNames('defineDynamicSupervisor', options, DYNAMIC_OPTIONS);
  const { name, child, maxChildren = Number.POSITIVE_INFINITY } = options;
  const limit = checkedLimit(options);
  if (typeof maxChildren !== 'number' || !(maxChildren >= 0))
    throw badOption(name, 'maxChildren', maxChildren);
  const template = child === undefined ? undefined : planChild(child, 'never');
  return supervisorSpec(name, async (self) => {
    const process = new SupervisorProcess(self);
    const window = new RestartWindow(limit.intensity, limit.period);
    const children = new DynamicChildren(process, { template, maxChildren }, window);
    enlist(self, children);
    self.initAck();
    await process.run(children);
  });
}

function supervisorSpec<A extends readonly unknown[]>(
  name: string,
  body: (self: Self, ...args: A) => Promise<void>,
): SupervisorSpec<A> {
  const spec: SupervisorSpec<A> = {
    kind: 'function',
    type: 'supervisor',
    ack: true,
    name,
    body,
    start: (parent, ...args) => startOrThrow(parent, spec, args, { link: true }),
    startWith: (parent, startOptions, ...args) =>
      startOrThrow(parent, spec, args, { link: true, ...startOptions }),
  };
  return Object.freeze(spec);
}

function planAll(specs: readonly ChildSpec[], autoShutdown: AutoShutdown): ChildPlan[] {
  const ids = new Set<string>();
  return specs.map((spec) => {
    const plan = planChild(spec, autoShutdown);
    if (ids.has(plan.id)) throw badChildSpec(plan.id, 'has the id of another child: give each its own');
    ids.add(plan.id);
    return plan;
  });
}

function checkedLimit(options: RestartLimit & { name: string }): AllOf<RestartLimit> {
  const { name, intensity = 1, period = 5000 } = options;
  if (typeof name !== 'string' || name === '') {
    const why = 'a supervisor needs a name that is a string and not empty';
    throw new SnowmeshError('SNOW_ERR_BAD_OPTION', why);
  }
  if (!(Number.isInteger(intensity) && intensity >= 0) && intensity !== Number.POSITIVE_INFINITY) {
    throw badOption(name, 'intensity', intensity);
  }
  if (!isPeriod(period)) throw badOption(name, 'period', period);
  return { intensity, period };
}

/** Whether a value is a time above 0 that timers accept, in ms, or Infinity: lost nodes are looked for as long as a part of it. */
function isPeriod(ms: unknown): boolean {
  return (
    typeof ms === 'number' && ms > 0 && (ms <= Number.MAX_SAFE_INTEGER || ms === Number.POSITIVE_INFINITY)
  );
}

function badOption(name: string, option: keyof typeof WANTED, value: unknown): SnowmeshError {
  const why = `supervisor "${name}": bad ${option}: ${typeof value === 'number' ? value : kindOf(value)}; use ${WANTED[option]}`;
  return new SnowmeshError('SNOW_ERR_BAD_OPTION', why);
}

const STATIC_OPTIONS: OptionNames<SupervisorOptions> = {
  name: true,
  strategy: true,
  intensity: true,
  period: true,
  autoShutdown: true,
  children: true,
};
const DYNAMIC_OPTIONS: OptionNames<DynamicSupervisorOptions> = {
  name: true,
  child: true,
  maxChildren: true,
  intensity: true,
  period: true,
};
/** The values that each option accepts. */
const WANTED = {
  strategy: 'one_for_one, one_for_all or rest_for_one',
  autoShutdown: 'never, any_significant or all_significant',
  children: 'an array of child specs, or a function that returns one',
  intensity: 'a whole number from 0 on, or Infinity',
  period: 'ms above 0 up to 2^53 - 1, or Infinity',
  maxChildren: 'a number from 0 on, or Infinity',
};
const STRATEGIES: ReadonlySet<string> = new Set<Strategy>(['one_for_one', 'one_for_all', 'rest_for_one']);
const AUTO_SHUTDOWNS: ReadonlySet<string> = new Set<AutoShutdown>([
  'never',
  'any_significant',
  'all_significant',
]);
