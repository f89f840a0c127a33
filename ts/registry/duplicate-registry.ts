import { actingFor, type Caller, checkPid, givenPid, Runtime } from '../actor/index.ts';
import { checkFunction, SnowmeshError } from '../errors/index.ts';
import { promiseOf } from '../kernel/index.ts';
import { copyTerm, freezeDeep, Pid } from '../term/index.ts';

/** A key of a registry; keys are compared as those of a Map are. */
export type RegistryKey = string | number | bigint | boolean;

/** An actor under a key. */
export interface RegistryEntry<V = undefined, M = unknown> {
  readonly pid: Pid<M>;
  /** The value it was registered with; deeply frozen. */
  readonly value: V;
}

/** The keys of one actor. */
interface Holding<K> {
  readonly keys: Set<K>;
  /** Removes the callback for its death. */
  readonly forget: () => void;
}

/**
 * A registry in which many actors share a key, as Elixir's with duplicate keys: for publishing to subscribers. It holds actors of
 * this node only.
 *
 * A dead actor is removed, without a call, before any other actor is told of the death. Memory follows what living actors have
 * registered, so an actor that makes up keys without end should `unregister` them.
 *
 * @typeParam K Keys.
 * @typeParam V Values kept beside a PID. Default: none.
 * @typeParam M What may be sent to the actors that register.
 * @example
 * const topics = new DuplicateRegistry<string, { level: number }, string>(node);
 * topics.register('news', self.pid, { level: 1 });
 * topics.dispatch('news', ({ pid, value }) => value.level > 0 && self.send(pid, 'hello'));
 */
export class DuplicateRegistry<K extends RegistryKey = string, V = undefined, M = unknown> {
  private readonly runtime: Runtime;
  private readonly byKey = new Map<K, Map<number, RegistryEntry<V, M>>>();
  private readonly byActor = new Map<number, Holding<K>>();

  /** @param owner The node, the runtime, or an actor of it. Only actors of that node can register. */
  constructor(owner: Caller) {
    const acting = actingFor(owner);
    this.runtime = acting instanceof Runtime ? acting : acting.runtime;
  }

  /**
   * Puts an actor under a key, after all others there. When it is there already, its value is replaced and its place kept. O(1).
   *
   * @param key A string, number, bigint or boolean.
   * @param pid A living actor of this node.
   * @param value Kept with it: copied, then frozen.
   * @throws SNOW_ERR_BAD_NAME (no such key), SNOW_ERR_NOT_LOCAL (no living actor of this node), SNOW_ERR_UNSENDABLE.
   */
  register(key: K, pid: Pid<M>, ...[value]: undefined extends V ? [value?: V] : [value: V]): void {
    checkKey(key);
    const kept = frozen(value) as V; // copied first: a getter in it may end the actor
    if (!this.isHere(pid)) {
      throw new SnowmeshError('SNOW_ERR_NOT_LOCAL', `${givenPid(pid)} is no living actor of this node.`);
    }
    const entry = { pid, value: kept };
    this.holdingOf(pid).keys.add(key);
    const entries = this.byKey.get(key);
    if (entries === undefined) this.byKey.set(key, new Map([[pid.local, entry]]));
    else entries.set(pid.local, entry);
  }

  /** Removes an actor from a key. O(1). False: it was not there. Throws SNOW_ERR_BAD_NAME, SNOW_ERR_BAD_DEST. */
  unregister(key: K, pid: Pid<M>): boolean {
    checkKey(key);
    checkPid('unregister', pid);
    const holding = pid.nc === 0 ? this.byActor.get(pid.local) : undefined;
    if (holding === undefined || !holding.keys.delete(key)) return false;
    this.remove(key, pid.local);
    if (holding.keys.size === 0) {
      this.byActor.delete(pid.local);
      holding.forget();
    }
    return true;
  }

  /** The actors under a key, the one that was registered first comes first. O(found). Throws SNOW_ERR_BAD_NAME. */
  lookup(key: K): RegistryEntry<V, M>[] {
    checkKey(key);
    const entries = this.byKey.get(key);
    if (entries === undefined) return [];
    // While a chain of linked actors dies, an actor may be dead and its death callback not have run yet.
    return [...entries.values()].filter(({ pid }) => this.isHere(pid));
  }

  /** The keys of an actor, the one that was registered first comes first. O(found). Throws SNOW_ERR_BAD_DEST. */
  keys(pid: Pid<M>): K[] {
    checkPid('keys', pid);
    const holding = this.isHere(pid) ? this.byActor.get(pid.local) : undefined;
    return holding === undefined ? [] : [...holding.keys];
  }

  /**
   * Calls `fn` with every entry under a key as it is now, also when `fn` registers and unregisters. O(found).
   *
   * @param fn Runs on the caller's stack; what it throws ends the dispatch and comes through. A promise that it returns is not awaited;
   * what it rejects with is logged.
   * @returns How many times it was called.
   * @throws SNOW_ERR_BAD_NAME, SNOW_ERR_BAD_ARGUMENT.
   */
  dispatch(key: K, fn: (entry: RegistryEntry<V, M>) => void): number {
    checkFunction('dispatch', fn);
    const entries = this.lookup(key);
    for (const entry of entries) {
      const pending = promiseOf(fn(entry));
      if (pending !== undefined) this.runtime.guard(() => pending);
    }
    return entries.length;
  }

  /** The number of keys with actors. O(1). */
  get size(): number {
    return this.byKey.size;
  }

  private isHere(pid: Pid<M>): boolean {
    return pid instanceof Pid && this.runtime.isAlive(pid as Pid<never>);
  }

  private holdingOf(pid: Pid<M>): Holding<K> {
    const known = this.byActor.get(pid.local);
    if (known !== undefined) return known;
    const keys = new Set<K>();
    const forget = this.runtime.onDeath(pid as Pid<never>, () => {
      this.byActor.delete(pid.local);
      for (const key of keys) this.remove(key, pid.local);
    });
    const holding = { keys, forget };
    this.byActor.set(pid.local, holding);
    return holding;
  }

  private remove(key: K, local: number): void {
    const entries = this.byKey.get(key);
    entries?.delete(local);
    if (entries?.size === 0) this.byKey.delete(key);
  }
}

function frozen(value: unknown): unknown {
  const copy = copyTerm(value);
  return typeof copy === 'object' && copy !== null ? freezeDeep(copy) : copy;
}

const KEY_TYPES: ReadonlySet<string> = new Set(['string', 'number', 'bigint', 'boolean']);

function checkKey(key: unknown): void {
  if (KEY_TYPES.has(typeof key)) return;
  throw new SnowmeshError(
    'SNOW_ERR_BAD_NAME',
    `A registry key is a string, number, bigint or boolean, not ${typeof key}.`,
  );
}
