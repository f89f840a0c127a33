import type { Startable, StartOptions } from '../actor/index.ts';
import {
  type AllOf,
  checkOptionNames,
  givenText,
  kindOf,
  type OptionNames,
  SnowmeshError,
  unknownOption,
} from '../errors/index.ts';

/** Whether a child that has ended is started again. */
export type Restart = 'permanent' | 'transient' | 'temporary';

/** How a child is stopped: killed at once, or sent `shutdown` and killed after this many ms, or never killed. */
export type Shutdown = 'brutalKill' | 'infinity' | number;

/** Returns the node for a child, by its id. If it throws, the start fails with that error as the reason. */
export type Placement = (id: string) => string;

/** The reaction to the loss of a child's node: a restart that counts towards the intensity, or waiting for the node. */
export type OnNodeLost = 'restart' | 'wait';

/** The options of a child spec. */
export interface ChildOptions {
  /**
   * `permanent` (default): the child is always started again. `transient`: unless it ended with `normal`, `shutdown` or
   * `{shutdown, …}`. `temporary`: never, and its spec is removed.
   */
  readonly restart?: Restart | undefined;
  /** Default 5000 ms for workers, `infinity` for supervisors. */
  readonly shutdown?: Shutdown | undefined;
  /** Default: `supervisor` when `start` is one, else `worker`. */
  readonly type?: 'worker' | 'supervisor' | undefined;
  /** Whether its end may end the supervisor: see `autoShutdown`. Not for permanent children. Default false. */
  readonly significant?: boolean | undefined;
  /** A local name that the child is registered under. */
  readonly name?: string | undefined;
  /**
   * The node that the child runs on; default: the node of the supervisor. A function is called before every start and restart, so a
   * child can fail over to another node. The other node has to expose what is started; `name` is a local name there. If the node is
   * lost or cannot be reached, this counts as an abnormal end or a failed start towards the intensity, unless `onNodeLost` is `wait`.
   */
  readonly node?: string | Placement | undefined;
  /**
   * The reaction to the loss of the child's node (`noconnection`). `restart` (default): the same as after any abnormal end. `wait`: the
   * child is `restarting`, and is started again when the node can be reached: the supervisor tries when the node connects, and after pauses
   * that grow from 0.2 to 30 s, for at most 128 children at a time. Failures in that time do not count towards the intensity, also those of a
   * node that does not expose the child yet or cannot take more. Siblings keep running; those that the strategy restarts with the child are
   * restarted when it is back. Needs `node`. The first start of a child does not wait for its node.
   */
  readonly onNodeLost?: OnNodeLost | undefined;
  /** Time limit for its init, in ms. Default: no limit. */
  readonly startTimeout?: number | undefined;
  /** Pauses before restarts. Default: none, as in Erlang. */
  readonly backoff?: Backoff | undefined;
}

/**
 * Growing pauses before the restarts of a child: the first is `min`, each further one is `factor` times as long, up to `max`. During a
 * pause the child is `restarting`, the supervisor handles requests, and siblings that the strategy restarts with it keep running. A
 * restart counts towards the intensity when it is tried. After the child has run for `max`, the pauses start at `min` again.
 */
export interface Backoff {
  /** The first pause, in ms. */
  readonly min: number;
  /** The longest pause, in ms, without its random part. */
  readonly max: number;
  /** The ratio of a pause to the one before. Default 2. */
  readonly factor?: number | undefined;
  /** The largest random part added to a pause, from 0 to 1, so that children do not restart at the same time. Default 0.25. */
  readonly jitter?: number | undefined;
}

/** A description of a child: what to start, with which arguments, and what to do when it ends. */
export interface ChildSpec extends ChildOptions {
  /** Unique among the children of a static supervisor. For a dynamic one, which identifies children by PID, it is a label for logs. */
  readonly id: string;
  /**
   * An actor function, or the result of `defineActor`, `defineServer`, `defineStateMachine` or `defineSupervisor`. The start of a plain
   * function never fails: the child runs at once, and an error that it throws is a crash, which leads to a restart. For a start that can
   * fail, use a server, or `defineActor(…, { ack: true })`.
   */
  readonly start: Startable;
  readonly args?: readonly unknown[] | undefined;
}

/** A child spec with every default filled in. */
export interface ChildPlan {
  readonly id: string;
  readonly start: Startable;
  readonly args: readonly unknown[];
  readonly restart: Restart;
  readonly shutdown: Shutdown;
  readonly type: 'worker' | 'supervisor';
  readonly significant: boolean;
  readonly startOptions: StartOptions;
  /** Called before every start; undefined: the node is in `startOptions`. */
  readonly place: Placement | undefined;
  readonly waitsForNode: boolean;
  readonly backoff: AllOf<Backoff> | undefined;
}

/** When the end of significant children ends their supervisor: never, when any one ends, or when the last one ends. */
export type AutoShutdown = 'never' | 'any_significant' | 'all_significant';

type Arguments<A extends readonly unknown[]> = [] extends A ? { args?: A } : { args: A };
type SpecOptions<A extends readonly unknown[]> = ChildOptions & Arguments<A>;

/**
 * Describes a child. The compiler checks its arguments.
 *
 * @param id Unique among the children of a static supervisor.
 * @param start An actor function, or the result of `defineActor`, `defineServer` and the like.
 * @param rest Options: `args`, `restart`, `shutdown` and the rest of {@link ChildOptions}.
 * @throws SNOW_ERR_BAD_CHILD_SPEC.
 * @example
 * childSpec('counter', counter, { args: [0], restart: 'transient' })
 */
export function childSpec<N, A extends unknown[]>(
  id: string,
  start: Startable<N, A>,
  ...rest: [] extends A ? [options?: SpecOptions<A>] : [options: SpecOptions<A>]
): ChildSpec {
  const options = rest[0] as ChildOptions | undefined;
  if (
    options !== undefined &&
    (typeof options !== 'object' || options === null || options instanceof Promise)
  )
    throw badChildSpec(givenText(id), `takes an object of options, not ${kindOf(options)}`);
  const spec: ChildSpec = { id, start: start as unknown as Startable, ...options };
  planChild(spec, 'any_significant');
  return spec;
}

/** Checks a child spec and fills in the defaults. Throws SNOW_ERR_BAD_CHILD_SPEC. */
export function planChild(spec: ChildSpec, autoShutdown: AutoShutdown): ChildPlan {
  if (isStartable(spec)) throw badChildSpec('?', 'is only what a child spec starts: pass childSpec(id, …)');
  if (typeof spec !== 'object' || spec === null) throw badChildSpec('?', 'is not an object');
  const { id, start, restart = 'permanent', significant = false } = spec;
  if (typeof id !== 'string' || id === '')
    throw badChildSpec(givenText(id), 'needs an id that is a string and not empty');
  if (!isStartable(start))
    throw badChildSpec(id, 'has nothing to start: `start` is an actor function, a server, a supervisor, …');
  const args = spec.args ?? NO_ARGUMENTS;
  if (!Array.isArray(args)) throw badChildSpec(id, `has args that are not an array, but ${kindOf(args)}`);
  const wrong = unknownOption(spec, CHILD_SPEC);
  if (wrong !== undefined) throw badChildSpec(id, wrong);
  if (!RESTARTS.has(restart))
    throw badChildSpec(id, `has an unknown restart: ${givenText(restart)}; use ${[...RESTARTS].join(', ')}`);
  const type =
    spec.type ?? (typeof start === 'object' && start.type === 'supervisor' ? 'supervisor' : 'worker');
  if (type !== 'worker' && type !== 'supervisor')
    throw badChildSpec(id, `has an unknown type: ${givenText(type)}; use worker or supervisor`);
  const shutdown = shutdownOf(spec.shutdown ?? (type === 'supervisor' ? 'infinity' : 5000), id);
  const startTimeout = spec.startTimeout ?? Number.POSITIVE_INFINITY;
  if (!isTime(startTimeout))
    throw badChildSpec(id, `has a bad startTimeout: ${givenText(startTimeout)}; use whole ms, or Infinity`);
  const { node } = spec;
  if (node !== undefined && typeof node !== 'string' && typeof node !== 'function') {
    throw badChildSpec(id, `has a bad node: ${kindOf(node)}; use name@host:port, or a function`);
  }
  if (typeof node === 'string' && !node.includes('@'))
    throw badChildSpec(id, `has a bad node: ${JSON.stringify(node)}; use name@host:port, or a function`);
  const { onNodeLost = 'restart' } = spec;
  if (onNodeLost !== 'restart' && onNodeLost !== 'wait') {
    throw badChildSpec(id, `has an unknown onNodeLost: ${givenText(onNodeLost)}; use restart or wait`);
  }
  if (onNodeLost === 'wait' && node === undefined)
    throw badChildSpec(id, 'has onNodeLost "wait" but no node: add `node`');
  if (significant && restart === 'permanent') {
    throw badChildSpec(
      id,
      'is permanent and significant: a permanent child is always restarted; use transient or temporary',
    );
  }
  if (significant && autoShutdown === 'never') {
    throw badChildSpec(id, 'is significant, but its supervisor has autoShutdown "never": set another one');
  }
  return {
    id,
    start,
    args,
    restart,
    shutdown,
    type,
    significant,
    startOptions: startOptions(spec.name, typeof node === 'string' ? node : undefined, startTimeout),
    place: typeof node === 'function' ? node : undefined,
    waitsForNode: onNodeLost === 'wait' && restart !== 'temporary',
    backoff: spec.backoff === undefined ? undefined : backoffOf(spec.backoff, id),
  };
}

/** Whether a value is an actor function, or a complete spec of its kind. */
function isStartable(value: unknown): boolean {
  if (typeof value === 'function') return true;
  if (typeof value !== 'object' || value === null) return false;
  const { kind, body, init } = value as { kind?: unknown; body?: unknown; init?: unknown };
  return typeof (kind === 'function' ? body : kind === 'handler' && init) === 'function';
}

/** Whether a value is a time that timers accept: whole ms from 0 on, or Infinity. */
function isTime(ms: unknown): boolean {
  return ms === Number.POSITIVE_INFINITY || (Number.isSafeInteger(ms) && (ms as number) >= 0);
}

function backoffOf(backoff: Backoff, id: string): AllOf<Backoff> {
  const what = `backoff of the child spec "${id}"`;
  checkOptionNames(what, backoff, BACKOFF);
  const { min, max, factor = 2, jitter = 0.25 } = backoff;
  const areNumbers = [min, max, factor, jitter].every(Number.isFinite);
  const areTimes = areNumbers && min >= 0 && max >= min && max <= Number.MAX_SAFE_INTEGER;
  const isGood = areTimes && factor >= 1 && jitter >= 0 && jitter <= 1;
  if (isGood) return { min, max, factor, jitter };
  throw badChildSpec(
    id,
    'has a bad backoff: it takes 0 <= min <= max <= 2^53 - 1 in ms, factor >= 1, and jitter from 0 to 1',
  );
}

function shutdownOf(shutdown: Shutdown, id: string): Shutdown {
  if (shutdown === 'brutalKill' || shutdown === 'infinity') return shutdown;
  if (!isTime(shutdown))
    throw badChildSpec(
      id,
      `has a bad shutdown: ${givenText(shutdown)}; use whole ms, brutalKill or infinity`,
    );
  return shutdown === Number.POSITIVE_INFINITY ? 'infinity' : shutdown;
}

/** `planChild` for a spec in a request: returns the error of a bad one, as the answer, instead of throwing it in the supervisor. */
export function tryPlanChild(
  spec: ChildSpec,
  autoShutdown: AutoShutdown,
): ChildPlan | { readonly ok: false; readonly error: 'bad_spec'; readonly message: string } {
  try {
    return planChild(spec, autoShutdown);
  } catch (error) {
    return { ok: false, error: 'bad_spec', message: (error as Error).message };
  }
}

export function badChildSpec(id: string, what: string): SnowmeshError {
  return new SnowmeshError('SNOW_ERR_BAD_CHILD_SPEC', `the child spec "${id}" ${what}`);
}

const CHILD_SPEC: OptionNames<ChildSpec> = {
  id: true,
  start: true,
  args: true,
  restart: true,
  shutdown: true,
  type: true,
  significant: true,
  name: true,
  node: true,
  onNodeLost: true,
  startTimeout: true,
  backoff: true,
};
const BACKOFF: OptionNames<Backoff> = { min: true, max: true, factor: true, jitter: true };
const NO_ARGUMENTS: readonly unknown[] = Object.freeze([]);
const RESTARTS: ReadonlySet<string> = new Set<Restart>(['permanent', 'transient', 'temporary']);

/** The start options of a child: linked, with the name, node and timeout of its spec. */
function startOptions(name: string | undefined, node: string | undefined, timeout: number): StartOptions {
  return {
    link: true,
    ...(name === undefined ? undefined : { name }),
    ...(node === undefined ? undefined : { node }),
    ...(timeout === Number.POSITIVE_INFINITY ? undefined : { timeout }),
  };
}
