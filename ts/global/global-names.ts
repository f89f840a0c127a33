import type { Protocol, ServerName, ServerRef } from '../behaviour/index.ts';
import {
  checkHost,
  checkOptionNames,
  givenText,
  kindOf,
  nameText,
  type OptionNames,
  SnowmeshError,
} from '../errors/index.ts';
import { named, sourcesOf } from '../introspect/index.ts';
import { Pid } from '../term/index.ts';
import type { LocalOutcome } from './claims.ts';
import type { ConflictResolver } from './conflict.ts';
import { MAX_NAMES_PER_NODE } from './limits.ts';
import type { Done } from './local-requests.ts';
import { isName } from './messages.ts';
import { NameService, type NamesHost } from './name-service.ts';

/** The options of {@link startGlobalNames}. */
export interface GlobalNamesOptions {
  /**
   * Chooses the actor that keeps a name when a netsplit heals and two actors have it. Default: the actor with the later registration by
   * the logical clock of registrations; with equal clocks, the one on the node with the greater name.
   */
  readonly onConflict?: ConflictResolver | undefined;
  /** What happens to the actor that loses its name: it is killed (default, as in Erlang), or gets a `NameConflict`. */
  readonly loser?: 'kill' | 'notify' | undefined;
  /** Most names that the actors of one node may have. Default 1 000 000. */
  readonly maxNamesPerNode?: number | undefined;
}

/** The definition of a server or state machine, which types its calls. */
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
        `${host.name} is a hidden node, which takes no part in global names: start the node without \`hidden\``,
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
   * Gives an actor a name in the whole cluster if no other actor has it. An actor may have several names.
   *
   * Takes two round trips to all connected nodes, which are asked in parallel; many calls share them. A node that does not answer delays
   * the call by five to six seconds, and learns the name when it continues. The node of the actor is waited for until its session ends.
   *
   * @param name 1 to 255 bytes of text, not `undefined`.
   * @param pid an actor of this node or of a connected one.
   * @returns true once every node that is connected to the actor's node, and answers, resolves the name. False when the name is
   * taken, also by a concurrent call, or when the actor is dead or its node cannot be reached.
   * @throws SNOW_ERR_BAD_NAME, SNOW_ERR_BAD_DEST when `pid` is not a PID. Rejects with SNOW_ERR_TOO_MANY_NAMES when the actor's node has
   * `maxNamesPerNode` names, SNOW_ERR_NO_VOTE when a node answers but does not vote for a minute, SNOW_ERR_STOPPED when this node stops,
   * SNOW_ERR_NOT_ALIVE when the names were closed.
   *
   * @example
   * if (!(await names.register('leader', self.pid))) self.exit('normal');
   */
  register(name: string, pid: Pid<never>): Promise<boolean> {
    checkNaming(name, pid);
    return this.#register('register', name, pid);
  }

  /**
   * Gives an actor a name in place of the actor that has it, in one step: no node sees the name free meanwhile. The actor
   * that had it gets no message.
   *
   * @returns true as with `register`; false when the actor is dead or its node cannot be reached.
   * @throws as `register`.
   */
  reregister(name: string, pid: Pid<never>): Promise<boolean> {
    checkNaming(name, pid);
    return this.#register('reregister', name, pid);
  }

  /**
   * Frees a name on all connected nodes. Any node may call it. The actor that has the name on this node now loses it; an actor that gets
   * it meanwhile does not.
   *
   * @returns true once no connected node resolves the name to that actor; false when no actor had it.
   * @throws SNOW_ERR_BAD_NAME when `name` is not a string. Rejects with SNOW_ERR_STOPPED or SNOW_ERR_NOT_ALIVE when this node stops or the
   * names are closed meanwhile.
   */
  unregister(name: string): Promise<boolean> {
    checkText(name);
    return this.#settled((done) => this.#service.unregister(name, done));
  }

  /**
   * The actor that has the name, as this node knows it: no other node is asked. O(1). Throws SNOW_ERR_BAD_NAME unless `name` is a string.
   */
  whereis<M = never>(name: string): Pid<M> | undefined;
  /**
   * `whereis` for a server: the PID is typed for `call` and `cast`.
   *
   * @param server the result of `defineServer` or `defineStateMachine`. It is not checked that the actor runs this server.
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
        `no actor has the global name ${JSON.stringify(name)}: register it first, or await \`sync\` after connecting`,
      );
    }
    this.#host.runtime.send(pid, message);
  }

  /**
   * Waits until this node knows the names of all nodes that are connected now, as Erlang's `global:sync` does. It does not wait for a
   * node that has not answered for some seconds. O(1) when they are known.
   *
   * @throws Rejects with SNOW_ERR_STOPPED when the node stops, SNOW_ERR_NOT_ALIVE when the names are closed.
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
    const { table } = this.#service;
    return [...table.names()].filter((name) => table.of(name) !== undefined);
  }

  /** Ends global names on this node: the names of its actors end on all nodes, and it forgets all others. Pending calls are rejected. */
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
   * The answer of the service as a promise. An immediate answer settles it in a later turn of the event loop: otherwise a loop that
   * calls until the answer changes would starve the event loop, which brings the change.
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
    // A call whose result is ignored must not end the process with an unhandled rejection when the node is stopped.
    promise.catch(() => {});
    return promise;
  }

  #errorOf(outcome: LocalOutcome, missing: readonly string[] = []): SnowmeshError | undefined {
    if (outcome === 'full') {
      const why =
        "the actor's node has as many global names as a node of the cluster accepts: raise maxNamesPerNode on all nodes";
      return new SnowmeshError('SNOW_ERR_TOO_MANY_NAMES', why);
    }
    if (outcome === 'unvoted') {
      const nodes = missing.length === 0 ? 'a node that answers' : missing.join(', ');
      const why = `${nodes} did not vote within a minute, although it answers: another claim to the name does not end; try again`;
      return new SnowmeshError('SNOW_ERR_NO_VOTE', why, { details: { nodes: missing } });
    }
    return outcome === 'closed' ? this.#closedError() : undefined;
  }

  #closedError(): SnowmeshError {
    return this.#host.isStopping
      ? new SnowmeshError('SNOW_ERR_STOPPED', 'global names: the node is stopping')
      : new SnowmeshError(
          'SNOW_ERR_NOT_ALIVE',
          'global names were closed on this node: call startGlobalNames again',
        );
  }
}

/**
 * Starts global names on a node. Every node that takes part has to start them, if possible before it connects to others: a name that
 * two nodes registered before they were connected is a conflict, as after a netsplit. So a node first waits for its peers and their
 * names, and then starts what registers. On a node without a name they are local, and each call gives names of its own.
 *
 * @param node the result of `startNode`.
 * @throws SNOW_ERR_BAD_OPTION, SNOW_ERR_HIDDEN_NODE on a hidden node, SNOW_ERR_ALREADY_STARTED when names are open on this node.
 *
 * @example
 * const names = startGlobalNames(node);
 * await node.ready({ peers: 1 });
 * await names.sync();
 * await names.register('clock', node.spawn(clock));
 * names.send('clock', 'tick');
 */
export function startGlobalNames(node: NamesHost, options: GlobalNamesOptions = {}): GlobalNames {
  return new GlobalNames(node, options);
}

function checkText(name: unknown): void {
  if (typeof name === 'string') return;
  throw new SnowmeshError('SNOW_ERR_BAD_NAME', `A global name must be a string, not ${kindOf(name)}.`);
}

function checkNaming(name: string, pid: unknown): void {
  if (!isName(name)) {
    throw new SnowmeshError(
      'SNOW_ERR_BAD_NAME',
      `${nameText(name)} cannot be a name: use 1 to 255 bytes of text, and not "undefined".`,
    );
  }
  if (!(pid instanceof Pid)) {
    throw new SnowmeshError('SNOW_ERR_BAD_DEST', `A global name needs a PID, not ${kindOf(pid)}.`);
  }
}

const OPTIONS: OptionNames<GlobalNamesOptions> = { onConflict: true, loser: true, maxNamesPerNode: true };

function check(option: string, value: unknown, isGood: boolean): void {
  if (!isGood) throw new SnowmeshError('SNOW_ERR_BAD_OPTION', `${option} cannot be ${givenText(value)}`);
}
