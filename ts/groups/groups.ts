import { checkPid, checkRef, Self } from '../actor/index.ts';
import { checkHost, checkOptionNames, type OptionNames, SnowmeshError } from '../errors/index.ts';
import { cellOf, inSend } from '../kernel/index.ts';
import { Pid, type Ref } from '../term/index.ts';
import { type Group, type GroupMonitor, groupOf } from './group.ts';
import { GroupService, type GroupsHost } from './group-service.ts';
import { MAX_MEMBERSHIPS_PER_NODE } from './limits.ts';
import { isGroupName } from './messages.ts';

/** The groups that a node takes part in, and how many memberships it may have. */
export interface GroupsOptions {
  /** Each scope has groups of its own. 1 to 255 bytes of text; default: a scope without a name. */
  readonly scope?: string;
  /** Whether this node and hidden nodes share groups; both have to set it. Default false. */
  readonly hidden?: boolean;
  /** Memberships that the actors of one node may have. Default 4 000 000. */
  readonly maxMembershipsPerNode?: number;
}

/** A monitor of all groups, and the members of each when it began. */
export interface GroupsMonitor {
  readonly ref: Ref;
  readonly groups: Map<string, Pid[]>;
}

/** One actor or several. */
type Members = Actor | readonly Actor[];
// oxlint-disable-next-line typescript/no-explicit-any -- what an actor receives does not matter here
type Actor = Pid<never> | Self<any>;

/**
 * Named groups of actors over all connected nodes, as Erlang's pg has them. Made by {@link startGroups}.
 *
 * A node joins its own actors only, and tells its peers. There is no vote, so two nodes may for a moment see different members.
 * An actor that joins twice is listed twice, and has to leave twice.
 */
export class Groups {
  readonly #service: GroupService;
  readonly #host: GroupsHost;

  /** @internal Use {@link startGroups}. */
  constructor(host: GroupsHost, options: GroupsOptions) {
    checkHost('startGroups', host);
    checkOptionNames('startGroups', options, OPTIONS);
    const { scope, hidden = false, maxMembershipsPerNode: most = MAX_MEMBERSHIPS_PER_NODE } = options;
    check('scope', scope, scope === undefined || isGroupName(scope));
    check('hidden', hidden, typeof hidden === 'boolean');
    check('maxMembershipsPerNode', most, Number.isSafeInteger(most) && most > 0);
    this.#host = host;
    this.#service = new GroupService(host, { scope, withHidden: hidden, maxMemberships: most });
  }

  /**
   * Puts actors of this node into a group, all or none. They leave it when they end. O(actors + peers).
   *
   * @param group 1 to 255 bytes of text; it need not exist.
   * @throws SNOW_ERR_BAD_NAME; SNOW_ERR_NOT_LOCAL for what is no living actor of this node; SNOW_ERR_TOO_MANY_MEMBERS;
   * SNOW_ERR_STOPPED when the node stops; SNOW_ERR_NOT_ALIVE after `close`.
   *
   * @example
   * groups.join('workers', self);
   */
  join(group: string, members: Members): void {
    mustBeGroup(group);
    if (this.#host.isStopping) throw new SnowmeshError('SNOW_ERR_STOPPED', 'groups: the node is stopping');
    if (this.#service.isClosed)
      throw new SnowmeshError('SNOW_ERR_NOT_ALIVE', 'groups were closed on this node');
    const pids = listOf(members);
    for (const pid of pids) this.#mustLive(pid);
    if (!this.#service.hasRoom(pids.length)) throw new SnowmeshError('SNOW_ERR_TOO_MANY_MEMBERS');
    if (pids.length > 0) this.#service.join(group, pids);
  }

  /**
   * Takes actors of this node out of a group, each once for every time it stands in `members`. O(actors + peers).
   *
   * @returns whether any of them was in it.
   * @throws SNOW_ERR_BAD_NAME; SNOW_ERR_NOT_LOCAL for actors of other nodes.
   */
  leave(group: string, members: Members): boolean {
    mustBeGroup(group);
    const pids = listOf(members);
    for (const pid of pids) if (!(pid instanceof Pid) || pid.nc !== 0) throw notLocal(pid);
    return this.#service.leave(group, pids);
  }

  /** The members on all nodes, as known here. O(members). Throws SNOW_ERR_BAD_NAME. */
  members<M = never>(group: string): Pid<M>[] {
    mustBeGroup(group);
    return this.#service.table.members(group) as Pid<never>[] as Pid<M>[];
  }

  /** The members on this node. O(members). Throws SNOW_ERR_BAD_NAME. */
  localMembers<M = never>(group: string): Pid<M>[] {
    mustBeGroup(group);
    return (this.#service.own.groups.get(group)?.list() ?? []) as Pid<never>[] as Pid<M>[];
  }

  /**
   * One group, typed for the messages that its members take.
   *
   * @param group 1 to 255 bytes of text; it need not exist.
   * @throws SNOW_ERR_BAD_NAME.
   * @example
   * const lobby = groups.of<{ readonly text: string }>('lobby');
   * lobby.broadcast({ text: 'hello' });
   */
  of<M>(group: string): Group<M> {
    mustBeGroup(group);
    return groupOf<M>(this, group);
  }

  /** The groups that have members. O(groups). */
  which(): string[] {
    return [...this.#service.table.names()];
  }

  /** The groups that have members on this node. O(groups). */
  whichLocal(): string[] {
    return [...this.#service.own.groups.keys()];
  }

  /**
   * Sends a message to every member of a group. Each gets it once, however often it joined. One frame goes to each node with
   * members, which delivers it to its own. What one actor sends keeps its order at each member. When the outbox of a peer is full
   * the message is a dead letter for each member there. O(local members + nodes with members).
   *
   * @param from the actor that sends; without it, order is kept among broadcasts without it.
   * @throws SNOW_ERR_BAD_NAME; SNOW_ERR_BAD_DEST for a `from` that is no actor; SNOW_ERR_UNSENDABLE, SNOW_ERR_TOO_DEEP,
   * SNOW_ERR_TOO_LARGE: then no member has got it.
   *
   * @example
   * groups.broadcast('workers', { tag: 'reload' }, self);
   */
  broadcast(group: string, message: unknown, from?: Actor): void {
    mustBeGroup(group);
    const sender = from === undefined ? undefined : pidOf(from);
    if (sender !== undefined) checkPid('broadcast', sender);
    const actor = sender === undefined ? undefined : cellOf(sender);
    inSend(this.#host.runtime, actor ?? null, group, () => this.#service.broadcast(group, message, sender));
  }

  /** Sends a message to the members on this node, and to no others. Throws as `broadcast`. */
  broadcastLocal(group: string, message: unknown): void {
    mustBeGroup(group);
    inSend(this.#host.runtime, null, group, () => this.#service.broadcastHere(group, message));
  }

  /**
   * Tells an actor of every change of a group from now on, in order: a {@link GroupJoin} or {@link GroupLeave} each. Ends with
   * the actor. O(members).
   *
   * @param subscriber an actor of this node.
   * @throws SNOW_ERR_BAD_NAME, SNOW_ERR_NOT_LOCAL
   *
   * @example
   * const { ref, members } = groups.monitor('workers', self);
   */
  monitor(group: string, subscriber: Actor): GroupMonitor {
    mustBeGroup(group);
    const ref = this.#service.watch(this.#mustLive(pidOf(subscriber)), group);
    return { ref, members: this.members(group) };
  }

  /**
   * `monitor` for all groups, also those that do not exist yet. O(memberships).
   *
   * @throws SNOW_ERR_NOT_LOCAL
   */
  monitorAll(subscriber: Actor): GroupsMonitor {
    const ref = this.#service.watch(this.#mustLive(pidOf(subscriber)), undefined);
    return { ref, groups: new Map(this.which().map((group) => [group, this.members(group)])) };
  }

  /** Ends a monitor. Events that wait in the mailbox stay there. False: it had ended. Throws SNOW_ERR_BAD_ARGUMENT. */
  demonitor(ref: Ref): boolean {
    checkRef('demonitor', ref);
    return this.#service.unwatch(ref);
  }

  /** Ends the groups of this node: its actors leave all groups, and this node forgets those of its peers. */
  close(): void {
    this.#service.close();
  }

  #mustLive(pid: Pid): Pid {
    if (pid instanceof Pid && this.#host.runtime.isAlive(pid)) return pid;
    throw notLocal(pid);
  }
}

/**
 * Starts process groups on a node. Each node that is to take part starts them, with the same scope. On a node without a name they
 * are local. On a node with a name this closes the groups that were started with that scope before.
 *
 * @param node what `startNode` returned.
 * @throws SNOW_ERR_BAD_OPTION
 *
 * @example
 * const groups = startGroups(node);
 * groups.join('workers', node.spawn(worker));
 * groups.broadcast('workers', 'go');
 */
export function startGroups(node: GroupsHost, options: GroupsOptions = {}): Groups {
  return new Groups(node, options);
}

const OPTIONS: OptionNames<GroupsOptions> = { scope: true, hidden: true, maxMembershipsPerNode: true };

function listOf(members: Members): Pid[] {
  return Array.isArray(members) ? (members as readonly Actor[]).map(pidOf) : [pidOf(members as Actor)];
}

function pidOf(actor: Actor): Pid {
  return (actor instanceof Self ? actor.pid : actor) as Pid;
}

function notLocal(pid: unknown): SnowmeshError {
  return new SnowmeshError('SNOW_ERR_NOT_LOCAL', `${String(pid)} is no living actor of this node.`);
}

function mustBeGroup(group: unknown): void {
  if (isGroupName(group)) return;
  throw new SnowmeshError(
    'SNOW_ERR_BAD_NAME',
    `${JSON.stringify(group)} cannot name a group: use 1 to 255 bytes of text.`,
  );
}

function check(option: string, value: unknown, isGood: boolean): void {
  if (!isGood) throw new SnowmeshError('SNOW_ERR_BAD_OPTION', `${option} cannot be ${String(value)}`);
}
