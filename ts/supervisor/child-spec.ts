import type { Startable, StartOptions } from '../actor/index.ts';
import { checkOptionNames, kindOf, type OptionNames, SnowmeshError, unknownOption } from '../errors/index.ts';

/** When an ended child is started again. */
export type Restart = 'permanent' | 'transient' | 'temporary';

/** How a child is asked to end: not at all, with so many milliseconds to obey, or with all the time it wants. */
export type Shutdown = 'brutalKill' | 'infinity' | number;

/** Chooses a node for a child, by its id. What it throws is why the start failed. */
export type Placement = (id: string) => string;

/** What the loss of a child's node means: a restart that counts, or waiting for the node. */
export type OnNodeLost = 'restart' | 'wait';

/** What a child spec may say besides what to start. */
export interface ChildOptions {
  /**
   * `permanent` (default): always started again; `transient`: unless it ended with `normal`, `shutdown` or
   * `{shutdown, …}`; `temporary`: never, and its spec is forgotten.
   */
  readonly restart?: Restart;
  /** Default 5000 ms for workers, `infinity` for supervisors. */
  readonly shutdown?: Shutdown;
  /** Default: what `start` says of itself, else `worker`. */
  readonly type?: 'worker' | 'supervisor';
  /** Its end may end the supervisor: see `autoShutdown`. Not for permanent children. Default false. */
  readonly significant?: boolean;
  /** A local name that the child is registered under. */
  readonly name?: string;
  /**
   * The node the child lives on; default: the supervisor's own. A function is asked before every start and restart, so a child
   * can fall over to another node. What is started elsewhere must be exposed there; its `name` is one of that node. A node that
   * is lost, or not reached, is an abnormal end or a failed start, and uses up the restart intensity, unless `onNodeLost`
   * says `wait`.
   */
  readonly node?: string | Placement;
  /**
   * What the loss of the child's node (`noconnection`) means. `restart` (default): an abnormal end as any other. `wait`: the
   * child counts as restarting, and is started again when the node can be reached: it is looked for when it connects, and after 0.2
   * to 30 s, each time after longer. That uses up no intensity, nor does a node that does not expose the child yet. Siblings run on meanwhile; those
   * the strategy restarts with the child are restarted when it is back. Needs `node`; the first start does not wait.
   */
  readonly onNodeLost?: OnNodeLost;
  /** How long its init may take, in ms. Default: no limit. */
  readonly startTimeout?: number;
  /** Pauses before its restarts. Default: none, as in Erlang. */
  readonly backoff?: Backoff;
}

/**
 * Growing pauses before the restarts of a child: `min`, then each longer by `factor`, up to `max`. The child is `restarting`
 * meanwhile and the supervisor does its other work; siblings that the strategy restarts with it run on until then. A restart
 * counts towards the intensity when it is tried. After a run of at least `max` the pauses begin anew.
 */
export interface Backoff {
  /** The first pause, in ms. */
  readonly min: number;
  /** The longest pause, in ms, without its random part. */
  readonly max: number;
  /** How much longer each is than the one before. Default 2. */
  readonly factor?: number;
  /** Each is longer by a random part of it, up to this, from 0 to 1; so that not all come at once. Default 0.25. */
  readonly jitter?: number;
}

/** A description of a child: what to start, with which arguments, and what to do when it ends. */
export interface ChildSpec extends ChildOptions {
  /** Unique among the children of a supervisor with a list; a label for logs under a dynamic one, which identifies its children by PID. */
  readonly id: string;
  /**
   * An actor function, or what `defineActor`, `defineServer`, `defineStateMachine` or `defineSupervisor` made. The start of a plain
   * function never fails: it counts as running at once, and what it throws is a crash that is restarted. To fail a start, take a
   * server, or `defineActor(…, { ack: true })`.
   */
  readonly start: Startable;
  readonly args?: readonly unknown[];
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
  /** Asked before every start; undefined: `startOptions` says it. */
  readonly place: Placement | undefined;
  readonly waitsForNode: boolean;
  readonly backoff: Required<Backoff> | undefined;
}

/** Whether the end of significant children ends their supervisor: never, of any one, or of the last one. */
export type AutoShutdown = 'never' | 'any_significant' | 'all_significant';

type Arguments<A extends readonly unknown[]> = [] extends A ? { args?: A } : { args: A };
type SpecOptions<A extends readonly unknown[]> = ChildOptions & Arguments<A>;

/**
 * Describes a child, with its arguments checked against what it takes.
 *
 * @param id Unique among the children of a supervisor with a list.
 * @param start An actor function, or what `defineActor`, `defineServer` and the like made.
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
    throw badChildSpec(String(id), `takes an object of options, not ${kindOf(options)}`);
  const spec: ChildSpec = { id, start: start as unknown as Startable, ...options };
  planChild(spec, 'any_significant');
  return spec;
}

/** Fills in the defaults and refuses what makes no sense. Throws SNOW_ERR_BAD_CHILD_SPEC. */
export function planChild(spec: ChildSpec, autoShutdown: AutoShutdown): ChildPlan {
  if (typeof spec !== 'object' || spec === null) throw badChildSpec('?', 'is not an object');
  const { id, start, restart = 'permanent', significant = false } = spec;
  if (typeof id !== 'string' || id === '')
    throw badChildSpec(String(id), 'needs an id that is a string and not empty');
  if (!isStartable(start)) throw badChildSpec(id, 'has nothing to start');
  const args = spec.args ?? NO_ARGUMENTS;
  if (!Array.isArray(args)) throw badChildSpec(id, `has args that are no array, but ${typeof args}`);
  const wrong = unknownOption(spec, CHILD_SPEC);
  if (wrong !== undefined) throw badChildSpec(id, wrong);
  if (!RESTARTS.has(restart)) throw badChildSpec(id, `has an unknown restart: ${String(restart)}`);
  const type =
    spec.type ?? (typeof start === 'object' && start.type === 'supervisor' ? 'supervisor' : 'worker');
  if (type !== 'worker' && type !== 'supervisor')
    throw badChildSpec(id, `has an unknown type: ${String(type)}`);
  const shutdown = shutdownOf(spec.shutdown ?? (type === 'supervisor' ? 'infinity' : 5000), id);
  const startTimeout = spec.startTimeout ?? Number.POSITIVE_INFINITY;
  if (!isTime(startTimeout)) throw badChildSpec(id, `has a bad startTimeout: ${String(startTimeout)}`);
  const { node } = spec;
  if (node !== undefined && typeof node !== 'string' && typeof node !== 'function') {
    throw badChildSpec(id, `has a bad node: ${String(node)}`);
  }
  if (typeof node === 'string' && !node.includes('@'))
    throw badChildSpec(id, `has a node whose name is none, ${JSON.stringify(node)}: use name@host:port`);
  const { onNodeLost = 'restart' } = spec;
  if (onNodeLost !== 'restart' && onNodeLost !== 'wait') {
    throw badChildSpec(id, `has an unknown onNodeLost: ${String(onNodeLost)}`);
  }
  if (onNodeLost === 'wait' && node === undefined) throw badChildSpec(id, 'waits for a node, but has none');
  if (significant && restart === 'permanent') {
    throw badChildSpec(
      id,
      'is permanent and significant: a permanent child has no end that could be significant',
    );
  }
  if (significant && autoShutdown === 'never') {
    throw badChildSpec(id, 'is significant, but its supervisor has autoShutdown "never"');
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

/** An actor function, or a spec that has what its kind needs. */
function isStartable(start: Startable | null): boolean {
  if (typeof start === 'function') return true;
  if (typeof start !== 'object' || start === null) return false;
  return (
    typeof (start.kind === 'function' ? start.body : start.kind === 'handler' && start.init) === 'function'
  );
}

/** Whole ms from 0 on, or Infinity: what the timers take. */
function isTime(ms: unknown): boolean {
  return ms === Number.POSITIVE_INFINITY || (Number.isSafeInteger(ms) && (ms as number) >= 0);
}

function backoffOf(backoff: Backoff, id: string): Required<Backoff> {
  const what = `backoff of the child spec "${id}"`;
  checkOptionNames(what, backoff, BACKOFF);
  const { min, max, factor = 2, jitter = 0.25 } = backoff;
  const areNumbers = [min, max, factor, jitter].every(Number.isFinite);
  const isGood = areNumbers && min >= 0 && max >= min && factor >= 1 && jitter >= 0 && jitter <= 1;
  if (isGood) return { min, max, factor, jitter };
  throw badChildSpec(
    id,
    'has a bad backoff: it takes 0 <= min <= max in ms, factor >= 1, and jitter from 0 to 1',
  );
}

function shutdownOf(shutdown: Shutdown, id: string): Shutdown {
  if (shutdown === 'brutalKill' || shutdown === 'infinity') return shutdown;
  if (!isTime(shutdown)) throw badChildSpec(id, `has a bad shutdown: ${String(shutdown)}`);
  return shutdown === Number.POSITIVE_INFINITY ? 'infinity' : shutdown;
}

/** `planChild` for a spec that came with a request: what is wrong with it is an answer, not the supervisor's end. */
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

/** How every child is started: linked, and as its plan says. */
function startOptions(name: string | undefined, node: string | undefined, timeout: number): StartOptions {
  return {
    link: true,
    ...(name === undefined ? undefined : { name }),
    ...(node === undefined ? undefined : { node }),
    ...(timeout === Number.POSITIVE_INFINITY ? undefined : { timeout }),
  };
}
