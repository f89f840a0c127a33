import { checkPid, checkRef, givenPid, Self } from '../actor/index.ts';
import {
  checkHost,
  checkOptionNames,
  givenText,
  nameText,
  type OptionNames,
  SnowmeshError,
} from '../errors/index.ts';
import { inSend, ownCell } from '../kernel/index.ts';
import { Pid, type Ref } from '../term/index.ts';
import { type Group, type GroupMonitor, groupOf } from './group.ts';
import { GroupService, type GroupsHost } from './group-service.ts';
import { MAX_MEMBERSHIPS_PER_NODE } from './limits.ts';
import { isGroupName } from './messages.ts';

/** The options of {@link startGroups}. */
export interface GroupsOptions {
  /** Each scope has groups of its own. 1 to 255 bytes of text; default: a scope without a name. */
  readonly scope?: string | undefined;
  /** Whether this node shares groups with hidden nodes; both sides have to set it. Default false. */
  readonly hidden?: boolean | undefined;
  /** Most memberships of the actors of one node, in at most 1 048 576 groups. Default 4 000 000. */
  readonly maxMembershipsPerNode?: number | undefined;
}

/** A monitor of all groups, and the members of each at its start. */
export interface GroupsMonitor {
  readonly ref: Ref;
  readonly groups: Map<string, Pid[]>;
}

/** One actor or several. */
type Members = Actor | readonly Actor[];
// oxlint-disable-next-line typescript/no-explicit-any -- what an actor receives does not matter here
type Actor = Pid<never> | Self<any>;

/**
 * Named groups of actors on all connected nodes, as in Erlang's `pg`. Made by {@link startGroups}.
 *
 * A node adds only its own actors to groups, and informs its peers. There is no vote: two nodes may see different members for a moment.
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
   * Adds actors of this node to a group: all of them, or none if one is refused. They leave it when they end. O(actors + peers).
   *
   * @param group 1 to 255 bytes of text; the group need not exist.
   * @throws SNOW_ERR_BAD_NAME; SNOW_ERR_NOT_LOCAL unless each is a living actor of this node; SNOW_ERR_TOO_MANY_MEMBERS;
   * SNOW_ERR_STOPPED when the node stops; SNOW_ERR_NOT_ALIVE after `close`.
   *
   * @example
   * groups.join('workers', self);
   */
  join(group: string, members: Members): void {
    mustBeGroup(group);
    if (this.#host.isStopping) throw new SnowmeshError('SNOW_ERR_STOPPED', 'groups: the node is stopping');
    if (this.#service.isClosed) {
      const why = 'groups were closed on this node: call startGroups again';
      throw new SnowmeshError('SNOW_ERR_NOT_ALIVE', why);
    }
    const pids = listOf(members);
    for (const pid of pids) this.#mustLive(pid);
    if (!this.#service.hasRoom(group, pids.length)) throw new SnowmeshError('SNOW_ERR_TOO_MANY_MEMBERS');
    this.#service.join(group, pids);
  }

  /**
   * Removes actors of this node from a group. Each leaves as often as `members` lists it. O(actors + peers).
   *
   * @returns whether any of them was a member.
   * @throws SNOW_ERR_BAD_NAME; SNOW_ERR_NOT_LOCAL for actors of other nodes.
   */
  leave(group: string, members: Members): boolean {
    mustBeGroup(group);
    const pids = listOf(members);
    for (const pid of pids) if (!(pid instanceof Pid) || pid.nc !== 0) throw notLocal(pid);
    return this.#service.leave(group, pids);
  }

  /** The members on all nodes, as this node knows them. O(members). Throws SNOW_ERR_BAD_NAME. */
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
   * One group, typed for the messages that its members accept.
   *
   * @param group 1 to 255 bytes of text; the group need not exist.
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
    const { table } = this.#service;
    return [...table.names()].filter((group) => table.count(group) > 0);
  }

  /** The groups that have members on this node. O(groups). */
  whichLocal(): string[] {
    return [...this.#service.own.groups.keys()];
  }

  /**
   * Sends a message to every member of a group. Each member gets it once, however often it joined. Each node with members gets one
   * frame, and delivers it to its members. Messages of one actor keep their order at each member. When the outbox of a peer is full,
   * the message is a dead letter for each member there. O(local members + nodes with members).
   *
   * @param from the actor that sends; broadcasts without `from` keep their order among themselves. When it has ended, no member gets
   * the message: it is a dead letter for each (`dead_sender`).
   * @throws SNOW_ERR_BAD_NAME; SNOW_ERR_BAD_DEST when `from` is not an actor; SNOW_ERR_FOREIGN_PID when it is one of another node object
   * of this process; SNOW_ERR_UNSENDABLE, SNOW_ERR_TOO_DEEP, SNOW_ERR_TOO_LARGE: no member has received the message then.
   *
   * @example
   * groups.broadcast('workers', { tag: 'reload' }, self);
   */
  broadcast(group: string, message: unknown, from?: Actor): void {
    mustBeGroup(group);
    const sender = from === undefined ? undefined : pidOf(from);
    if (sender !== undefined) checkPid('broadcast', sender);
    const { runtime } = this.#host;
    const actor = sender === undefined ? undefined : ownCell(runtime, sender);
    if (sender?.isLocal === true && actor?.isOver !== false) {
      const members = this.#service.table.count(group);
      if (members > 0) runtime.deadLetters.count('dead_sender', group, members);
      return;
    }
    inSend(runtime, actor ?? null, group, () => this.#service.broadcast(group, message, sender));
  }

  /** Sends a message to the members on this node only. Throws as `broadcast` does. */
  broadcastLocal(group: string, message: unknown): void {
    mustBeGroup(group);
    inSend(this.#host.runtime, null, group, () => this.#service.broadcastHere(group, message));
  }

  /**
   * Sends an actor every change of a group from now on, in order: a {@link GroupJoin} or a {@link GroupLeave}. Ends with
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

  /**
   * Ends a monitor. Events that are in the mailbox already stay there.
   *
   * @returns false when the monitor had ended.
   * @throws SNOW_ERR_BAD_ARGUMENT unless `ref` is a reference.
   */
  demonitor(ref: Ref): boolean {
    checkRef('demonitor', ref);
    return this.#service.unwatch(ref);
  }

  /** Ends groups on this node: its actors leave all groups, and this node removes the members of its peers. */
  close(): void {
    this.#service.close();
  }

  #mustLive(pid: Pid): Pid {
    if (pid instanceof Pid && this.#host.runtime.isAlive(pid)) return pid;
    throw notLocal(pid);
  }
}

/**
 * Starts process groups on a node. Every node that takes part has to start them, with the same scope. On a node without a name they
 * are local, and each call gives groups of its own.
 *
 * @param node the result of `startNode`.
 * @throws SNOW_ERR_BAD_OPTION; SNOW_ERR_ALREADY_STARTED when groups of that scope are open on this node.
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
  return new SnowmeshError(
    'SNOW_ERR_NOT_LOCAL',
    `${givenPid(pid)} is not a living actor of this node: call the groups of the node that it runs on.`,
  );
}

function mustBeGroup(group: unknown): void {
  if (isGroupName(group)) return;
  throw new SnowmeshError(
    'SNOW_ERR_BAD_NAME',
    `${nameText(group)} cannot be the name of a group: use 1 to 255 bytes of text.`,
  );
}

function check(option: string, value: unknown, isGood: boolean): void {
  if (!isGood) throw new SnowmeshError('SNOW_ERR_BAD_OPTION', `${option} cannot be ${givenText(value)}`);
}
