import type { Protocol, ServerName, ServerRef } from '../behaviour/index.ts';
import { checkHost, checkOptionNames, kindOf, type OptionNames, SnowmeshError } from '../errors/index.ts';
import { named, sourcesOf } from '../introspect/index.ts';
import { Pid } from '../term/index.ts';
import type { LocalOutcome } from './claims.ts';
import type { ConflictResolver } from './conflict.ts';
import { MAX_NAMES_PER_NODE } from './limits.ts';
import type { Done } from './local-requests.ts';
import { isName } from './messages.ts';
import { NameService, type NamesHost } from './name-service.ts';

/** What happens when a split heals and a name has two actors, and how many names there may be. */
export interface GlobalNamesOptions {
  /**
   * Chooses when a split heals and two actors have one name. Default: the one that was registered later by the logical clock of
   * registrations keeps it; with equal clocks the one on the node with the greater name.
   */
  readonly onConflict?: ConflictResolver;
  /** What happens to the actor that loses its name then: it is killed (default, as in Erlang), or sent a `NameConflict`. */
  readonly loser?: 'kill' | 'notify';
  /** Names that the actors of one node may have. Default 1 000 000. */
  readonly maxNamesPerNode?: number;
}

/** A server or state machine: what says how it is called. */
interface Named<P extends Protocol> {
  named(name: string): ServerName<P>;
}

/**
 * Names of a whole cluster: one name, one actor, on every connected node. Made by {@link startGlobalNames}.
 *
 * Look-up is local. A name ends with its actor, and with its actor's node.
 */
export class GlobalNames {
  readonly #service: NameService;
  readonly #host: NamesHost;

  /** @internal Use {@link startGlobalNames}. */
  constructor(host: NamesHost, options: GlobalNamesOptions) {
    checkHost('startGlobalNames', host);
    checkOptionNames('startGlobalNames', options, OPTIONS);
    const { onConflict, loser = 'kill', maxNamesPerNode = MAX_NAMES_PER_NODE } = options;
    if (host.isHidden) {
      throw new SnowmeshError(
        'SNOW_ERR_HIDDEN_NODE',
        `${host.name} is a hidden node: no other node would see its global names, and it would see none`,
      );
    }
    check('loser', loser, loser === 'kill' || loser === 'notify');
    check('onConflict', onConflict, onConflict === undefined || typeof onConflict === 'function');
    check('maxNamesPerNode', maxNamesPerNode, Number.isSafeInteger(maxNamesPerNode) && maxNamesPerNode > 0);
    this.#host = host;
    this.#service = new NameService(host, {
      resolve: onConflict,
      killsLoser: loser === 'kill',
      maxNames: maxNamesPerNode,
    });
    const { table } = this.#service;
    sourcesOf(host.runtime).globalNames = {
      get size() {
        return table.size;
      },
      keys: () => table.names(),
      describe: (name) => named(name, table.of(name)?.pid),
    };
  }

  /**
   * Gives an actor a name in the whole cluster, or does nothing. An actor may have several names.
   *
   * Takes two round trips to all connected nodes, at the same time; many calls share them. A node that does not answer is waited
   * for five to six seconds, and learns the name when it continues; the node of the actor is waited for until its session ends.
   *
   * @param name 1 to 255 bytes of text, not `undefined`.
   * @param pid an actor of this node or of a connected one.
   * @returns true once every node that is connected to the actor's node, and answers, resolves the name; for an actor of another
   * node, as that node said when it answered. False when the name is taken, also by a call at the same time, or when the actor is
   * dead or its node cannot be reached.
   * @throws SNOW_ERR_BAD_NAME, SNOW_ERR_BAD_DEST for what is no PID; as a rejection SNOW_ERR_TOO_MANY_NAMES when the actor's node has `maxNamesPerNode`,
   * SNOW_ERR_NO_VOTE when a node that answers does not vote for a minute, SNOW_ERR_STOPPED when this node stops, SNOW_ERR_NOT_ALIVE
   * when the names were closed.
   *
   * @example
   * if (!(await names.register('leader', self.pid))) self.exit('normal');
   */
  register(name: string, pid: Pid<never>): Promise<boolean> {
    checkNaming(name, pid);
    return this.#register('register', name, pid);
  }

  /**
   * Gives an actor a name and takes it from the actor that has it, in one step: no node sees the name free meanwhile. The actor
   * that had it is not told.
   *
   * @returns true as `register`; false when the actor is dead or its node cannot be reached.
   * @throws as `register`.
   */
  reregister(name: string, pid: Pid<never>): Promise<boolean> {
    checkNaming(name, pid);
    return this.#register('reregister', name, pid);
  }

  /**
   * Frees a name on all connected nodes, from any of them. The actor that has it now, as seen here, loses it; one that got it
   * meanwhile does not.
   *
   * @returns true once no connected node resolves it to that actor; false when no actor had it.
   * @throws SNOW_ERR_BAD_NAME for what is no string; as a rejection SNOW_ERR_STOPPED or SNOW_ERR_NOT_ALIVE when this node stops or the
   * names are closed meanwhile.
   */
  unregister(name: string): Promise<boolean> {
    checkText(name);
    return this.#settled((done) => this.#service.unregister(name, done));
  }

  /**
   * The actor that has the name, as known here: no other node is asked. O(1). Throws SNOW_ERR_BAD_NAME for what is no string.
   */
  whereis<M = never>(name: string): Pid<M> | undefined;
  /**
   * `whereis` of a server: its PID is typed for `call` and `cast`.
   *
   * @param server what `defineServer` or `defineStateMachine` made; whether the name belongs to such a server is not checked.
   * @example
   * const server = defineServer({ name: 'clock', init: () => ({ ms: 0 }), calls: { read: ({ state }) => state.ms } });
   * const clock = names.whereis(server, 'clock');
   * if (clock !== undefined) await call(self, clock, 'read');
   */
  whereis<P extends Protocol>(server: Named<P>, name: string): ServerRef<P> | undefined;
  whereis(...given: [name: string] | [server: unknown, name: string]): Pid | undefined {
    const name = given.at(-1);
    checkText(name);
    return this.#service.table.of(name as string)?.pid;
  }

  /**
   * Sends to the actor that has the name.
   *
   * @throws SNOW_ERR_NAME_UNKNOWN when no actor has it, and what `send` throws.
   */
  send(name: string, message: unknown): void {
    const pid = this.whereis<unknown>(name);
    if (pid === undefined) {
      throw new SnowmeshError(
        'SNOW_ERR_NAME_UNKNOWN',
        `no actor has the global name ${JSON.stringify(name)}`,
      );
    }
    this.#host.runtime.send(pid, message);
  }

  /**
   * Waits until the names of all nodes that are connected now are known here, as Erlang's `global:sync` does. A node that has
   * not said anything for some seconds is not waited for. O(1) when they are known.
   *
   * @throws as a rejection SNOW_ERR_STOPPED when the node stops, SNOW_ERR_NOT_ALIVE when the names are closed.
   *
   * @example
   * await node.ready({ peers: 2 });
   * await names.sync();
   * names.whereis('leader');
   */
  async sync(): Promise<void> {
    await this.#settled((done) => {
      if (this.#host.isStopping) done('closed');
      else this.#service.sync(done);
    });
  }

  /** All names known here. O(names). */
  names(): string[] {
    return [...this.#service.table.names()];
  }

  /** Ends global names on this node: the names of its actors end everywhere, and it forgets all others. Calls that wait are rejected. */
  close(): void {
    this.#service.close();
  }

  #register(request: 'register' | 'reregister', name: string, pid: Pid<never>): Promise<boolean> {
    return this.#settled((done) => {
      if (this.#host.isStopping) done('closed');
      else this.#service.register(request, name, pid, done);
    });
  }

  /**
   * The answer of the service as a promise. An answer that is there at once comes in a later turn of the event loop: a loop that
   * asks until it gets what it wants must not keep out what would change the answer.
   */
  #settled(start: (done: Done) => void): Promise<boolean> {
    const promise = new Promise<boolean>((resolve, reject) => {
      let isStarting = true;
      start((outcome, missing) => {
        const settle = (): void => {
          const error = this.#errorOf(outcome, missing);
          if (error === undefined) resolve(outcome === 'yes');
          else reject(error);
        };
        if (isStarting) setImmediate(settle);
        else settle();
      });
      isStarting = false;
    });
    // A call whose result is not used must not end the process because the node was stopped.
    promise.catch(() => {});
    return promise;
  }

  #errorOf(outcome: LocalOutcome, missing: readonly string[] = []): SnowmeshError | undefined {
    if (outcome === 'full') {
      const why = "a node of the cluster takes no more names of the actor's node";
      return new SnowmeshError('SNOW_ERR_TOO_MANY_NAMES', why);
    }
    if (outcome === 'unvoted') {
      const nodes = missing.length === 0 ? 'a node that answers' : missing.join(', ');
      const why = `for a minute the vote of ${nodes} was missing: it is withheld, or held by a claim that does not end`;
      return new SnowmeshError('SNOW_ERR_NO_VOTE', why, { details: { nodes: missing } });
    }
    return outcome === 'closed' ? this.#closedError() : undefined;
  }

  #closedError(): SnowmeshError {
    return this.#host.isStopping
      ? new SnowmeshError('SNOW_ERR_STOPPED', 'global names: the node is stopping')
      : new SnowmeshError('SNOW_ERR_NOT_ALIVE', 'global names were closed on this node');
  }
}

/**
 * Starts global names on a node. Each node that is to take part starts them, if possible before it connects to others: a name that
 * two nodes gave away before they knew of each other is settled as after a split. On a node without a name they are local. On a node
 * with a name this closes the global names that were started before.
 *
 * @param node what `startNode` returned.
 * @throws SNOW_ERR_BAD_OPTION; SNOW_ERR_HIDDEN_NODE: hidden nodes take no part.
 *
 * @example
 * const names = startGlobalNames(node);
 * await names.register('clock', node.spawn(clock));
 * names.send('clock', 'tick');
 */
export function startGlobalNames(node: NamesHost, options: GlobalNamesOptions = {}): GlobalNames {
  return new GlobalNames(node, options);
}

function checkText(name: unknown): void {
  if (typeof name === 'string') return;
  throw new SnowmeshError('SNOW_ERR_BAD_NAME', `A global name is a string, not ${kindOf(name)}.`);
}

function checkNaming(name: string, pid: unknown): void {
  if (!isName(name)) {
    throw new SnowmeshError(
      'SNOW_ERR_BAD_NAME',
      `${JSON.stringify(name)} cannot be a name: use 1 to 255 bytes of text, and not "undefined".`,
    );
  }
  if (!(pid instanceof Pid)) {
    throw new SnowmeshError('SNOW_ERR_BAD_DEST', `${String(pid)} is no PID and cannot have a global name.`);
  }
}

const OPTIONS: OptionNames<GlobalNamesOptions> = { onConflict: true, loser: true, maxNamesPerNode: true };

function check(option: string, value: unknown, isGood: boolean): void {
  if (!isGood) throw new SnowmeshError('SNOW_ERR_BAD_OPTION', `${option} cannot be ${String(value)}`);
}
