import {
  type Caller,
  type FunctionSpec,
  type Self,
  type StartOptions,
  startOrThrow,
} from '../actor/index.ts';
import { checkOptionNames, type OptionNames, SnowmeshError } from '../errors/index.ts';
import type { Pid } from '../term/index.ts';
import { type AutoShutdown, badChildSpec, type ChildPlan, type ChildSpec, planChild } from './child-spec.ts';
import { DynamicChildren } from './dynamic-children.ts';
import { RestartWindow } from './restart-window.ts';
import { enlist } from './roster.ts';
import { StaticChildren, type Strategy } from './static-children.ts';
import { SupervisorProcess } from './supervisor-process.ts';

/** How many restarts a supervisor takes before it gives up. */
export interface RestartLimit {
  /** Most restarts within `period`; one more ends the supervisor. 0: the first crash does. Default 1. */
  readonly intensity?: number;
  /** ms; a restart that is exactly as old still counts. Default 5000. */
  readonly period?: number;
}

/** What makes a supervisor. See {@link defineSupervisor}. */
export interface SupervisorOptions<A extends readonly unknown[] = []> extends RestartLimit {
  /** For logs, and for spawning it from another node. */
  readonly name: string;
  /** What else is restarted when a child fails. Default `one_for_one`. */
  readonly strategy?: Strategy;
  /**
   * Whether the end of significant children ends the supervisor: of any one, or of the last one. It counts when a
   * transient one ends cleanly, or a temporary one at all. Default `never`.
   */
  readonly autoShutdown?: AutoShutdown;
  /** The children in start order, or a function that makes them from the supervisor's own arguments. */
  readonly children: readonly ChildSpec[] | ((self: Self, ...args: A) => readonly ChildSpec[]);
}

/** What makes a dynamic supervisor. See {@link defineDynamicSupervisor}. */
export interface DynamicSupervisorOptions extends RestartLimit {
  /** For logs, and for spawning it from another node. */
  readonly name: string;
  /** What all children are like (simple_one_for_one); `startChild` then takes further arguments instead of a spec. */
  readonly child?: ChildSpec;
  /** Most children, those being restarted included. Default: no limit. */
  readonly maxChildren?: number;
}

/** A supervisor that can be started, spawned, or put in a child spec. */
export interface SupervisorSpec<A extends readonly unknown[] = []> extends FunctionSpec<unknown, A> {
  readonly type: 'supervisor';
  /**
   * Starts it; resolves when all its children run. Linked to `parent` when that is an actor. `stop(caller, pid, 'shutdown')` ends
   * it with all its children, in order; so does `node.stop()`, or the end of its parent.
   *
   * @throws SNOW_ERR_START, with the reason in `details.reason`: for a child that did not start
   *   `{ shutdown: { failedToStartChild: id, reason } }`.
   */
  start(parent: Caller, ...args: A): Promise<Pid>;
  /** `start` with a name, a node, a timeout, or without the link. */
  startWith(parent: Caller, options: StartOptions, ...args: A): Promise<Pid>;
}

/**
 * Describes a supervisor with a list of children (rules J).
 *
 * The children are started in order, each awaited, and stopped in reverse order. When one ends it is restarted by its
 * own `restart`, together with others by the `strategy`; more than `intensity` restarts within `period` end all children
 * and then the supervisor, with `shutdown`.
 *
 * @throws SNOW_ERR_BAD_CHILD_SPEC for specs that make no sense or have the same id; SNOW_ERR_BAD_OPTION.
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
  // A list is checked here and now; what a function makes, when it has made it.
  const fixed = typeof children === 'function' ? undefined : planAll(children, autoShutdown);
  return supervisorSpec(name, async (self, ...args) => {
    const process = new SupervisorProcess(self);
    const window = new RestartWindow(limit.intensity, limit.period);
    const list = new StaticChildren(process, { strategy, autoShutdown }, window);
    enlist(self, list);
    const plans =
      fixed ??
      planAll((children as Exclude<typeof children, readonly ChildSpec[]>)(self, ...args), autoShutdown);
    const failure = await list.boot(plans);
    if (failure !== undefined) {
      self.exit({ shutdown: { failedToStartChild: failure.id, reason: failure.reason } });
    }
    self.initAck();
    await process.run(list);
  });
}

/**
 * Describes a supervisor whose children come and go at run time, any number of them: starting, ending and finding one
 * costs O(1), and at the end all are stopped at once. Always one_for_one.
 *
 * With `child` all children are alike (simple_one_for_one), and `startChild` takes only their further arguments.
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
  if (!(maxChildren >= 0)) throw badOption(name, 'maxChildren', maxChildren);
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
    if (ids.has(plan.id)) throw badChildSpec(plan.id, 'has an id that another child has');
    ids.add(plan.id);
    return plan;
  });
}

function checkedLimit(options: RestartLimit & { name: string }): Required<RestartLimit> {
  const { name, intensity = 1, period = 5000 } = options;
  if (typeof name !== 'string' || name === '') {
    const why = 'a supervisor needs a name that is a string and not empty';
    throw new SnowmeshError('SNOW_ERR_BAD_OPTION', why);
  }
  if (!(Number.isInteger(intensity) && intensity >= 0) && intensity !== Number.POSITIVE_INFINITY) {
    throw badOption(name, 'intensity', intensity);
  }
  if (!(period > 0)) throw badOption(name, 'period', period);
  return { intensity, period };
}

function badOption(name: string, option: string, value: unknown): SnowmeshError {
  return new SnowmeshError('SNOW_ERR_BAD_OPTION', `supervisor "${name}": bad ${option}: ${String(value)}`);
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
const STRATEGIES: ReadonlySet<string> = new Set<Strategy>(['one_for_one', 'one_for_all', 'rest_for_one']);
const AUTO_SHUTDOWNS: ReadonlySet<string> = new Set<AutoShutdown>([
  'never',
  'any_significant',
  'all_significant',
]);
