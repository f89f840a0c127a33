// Keeps the table up to date with the memberships of the actors of this node and of its peers.
//
//   up ──hello──▶ peer          it answers with `sync`, all its memberships; then `join` and `leave`, as they happen
//   down / bye / hello again    its memberships are removed, step by step
import type { Runtime } from '../actor/index.ts';
import { type GroupInfo, type Listing, sourcesOf } from '../introspect/index.ts';
import { ThrottledLog } from '../kernel/index.ts';
import type { Channel, ChannelListener, ChannelPeer } from '../node/index.ts';
import { StepQueue } from '../peer/index.ts';
import { copyTerm, type Pid, type Ref } from '../term/index.ts';
import { Announcements, type Change } from './announcements.ts';
import { GroupTable, Side } from './group-table.ts';
import { GroupsPeer } from './groups-peer.ts';
import { MAX_GROUPS_PER_NODE, MAX_SYNCS } from './limits.ts';
import { CHANNEL, type Entry, type Message, parseMessage, VERSION } from './messages.ts';
import { OwnMembers } from './own-members.ts';
import { Watchers } from './watchers.ts';

/** The part of a node that groups need. */
export interface GroupsHost {
  readonly name: string;
  /** Whether the node is stopping. */
  readonly isStopping: boolean;
  readonly runtime: Runtime;
  /** @internal */
  channel(name: string, listener: ChannelListener): Channel | undefined;
}

export interface ServiceOptions {
  /** Undefined: the scope without a name. */
  readonly scope: string | undefined;
  readonly withHidden: boolean;
  readonly maxMemberships: number;
}

type AnySide = Side | GroupsPeer;

export class GroupService implements ChannelListener {
  readonly table: GroupTable<AnySide>;
  readonly own: Side = new Side();
  readonly #runtime: Runtime;
  readonly #log: ThrottledLog;
  readonly #options: ServiceOptions;
  readonly #peers = new Map<string, GroupsPeer>();
  readonly #removals: StepQueue;
  readonly #announcements: Announcements;
  readonly #ownMembers: OwnMembers;
  readonly #watchers: Watchers;
  readonly #channel: Channel | undefined;
  readonly #listing: Listing<GroupInfo>;
  #isClosed = false;

  constructor(host: GroupsHost, options: ServiceOptions) {
    this.#runtime = host.runtime;
    this.#log = new ThrottledLog(host.runtime);
    this.#options = options;
    this.#removals = new StepQueue(host.runtime);
    this.#announcements = new Announcements(host.runtime, this.own, {
      send: ({ peer }, message) => this.#channel?.send(peer, message),
      whenWritable: ({ peer }) => this.#channel?.whenWritable(peer),
    });
    this.#watchers = new Watchers(host.runtime);
    this.table = new GroupTable((group, pids) => this.#watchers.left(group, pids));
    this.#ownMembers = new OwnMembers(host.runtime, (pid, counts) => this.#died(pid, counts));
    this.#channel = host.channel(options.scope === undefined ? CHANNEL : `${CHANNEL}:${options.scope}`, this);
    for (const { peer } of this.#peers.values()) this.#channel?.send(peer, ['hello', VERSION]);
    this.#listing = listingOf(this.table, this.own, options.scope);
    sourcesOf(host.runtime).groups.set(options.scope ?? '', this.#listing);
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Whether the actors of a node, this one by default, may have `count` more memberships in a group. */
  hasRoom(group: string, count: number, side: AnySide = this.own): boolean {
    const isGroupAllowed = side.groups.size < MAX_GROUPS_PER_NODE || side.groups.has(group);
    return isGroupAllowed && side.size + count <= this.#options.maxMemberships;
  }

  /** @param pids living actors of this node. */
  join(group: string, pids: readonly Pid[]): void {
    for (const pid of pids) this.#ownMembers.add(pid, group);
    this.table.join(this.own, group, pids);
    this.#announce('join', [[group, pids, this.own.groups.get(group)]]);
    this.#watchers.joined(group, pids);
  }

  /** Returns false when none of them was a member. */
  leave(group: string, pids: readonly Pid[]): boolean {
    const roster = this.own.groups.get(group);
    const left = this.table.leave(this.own, group, pids);
    if (left.length === 0) return false;
    for (const pid of left) this.#ownMembers.remove(pid, group);
    this.#announce('leave', [[group, left, roster]]);
    this.#watchers.left(group, left);
    return true;
  }

  watch(subscriber: Pid, group: string | undefined): Ref {
    // It must not be told that members left which it was not shown.
    if (group === undefined) this.#removals.endAll();
    else this.table.settle(group);
    return this.#watchers.add(subscriber, group);
  }

  unwatch(ref: Ref): boolean {
    return this.#watchers.remove(ref);
  }

  /**
   * Sends one frame to each node with members, then delivers to the members on this node. Peers come first: an unsendable message
   * throws before any member has received it.
   */
  broadcast(group: string, message: unknown, from: Pid | undefined): void {
    const peers: GroupsPeer[] = [];
    let local = false;
    for (const side of this.table.sides(group)) {
      if (side instanceof GroupsPeer) peers.push(side);
      else local = true;
    }
    if (peers.length > 0) this.#castTo(peers, group, message, from);
    if (local) this.#castHere(group, message, false);
    else if (peers.length === 0) copyTerm(message); // an unsendable message throws also without members
  }

  /** Delivers to the members on this node only. */
  broadcastHere(group: string, message: unknown): void {
    if (this.own.groups.has(group)) this.#castHere(group, message, false);
    else copyTerm(message);
  }

  /** Informs the peers and removes all groups. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#announcements.close();
    for (const { peer } of this.#peers.values()) this.#channel?.send(peer, ['bye']);
    this.#channel?.close();
    this.#ownMembers.close();
    for (const side of [...this.#peers.values(), this.own]) this.#drop(side);
    this.#removals.endAll();
    this.#peers.clear();
    this.#watchers.close();
    const { groups } = sourcesOf(this.#runtime);
    const scope = this.#options.scope ?? '';
    if (groups.get(scope) === this.#listing) groups.delete(scope);
  }

  up(peer: ChannelPeer): void {
    if (peer.hidden && !this.#options.withHidden) return;
    this.#peers.set(peer.node, new GroupsPeer(peer));
    // For peers that are connected already, `up` is called before the channel is assigned: the constructor greets them.
    this.#channel?.send(peer, ['hello', VERSION]);
  }

  down(peer: ChannelPeer): void {
    const side = this.#sideOf(peer);
    if (side === undefined) return;
    this.#peers.delete(peer.node);
    this.#announcements.end(side);
    this.#drop(side);
  }

  message(peer: ChannelPeer, value: unknown): void {
    const side = this.#sideOf(peer);
    if (side === undefined) return;
    const message = parseMessage(value, peer.nc);
    if (message === undefined) this.#suspect(side, 'a malformed message');
    else this.#handle(side, message);
  }

  #handle(side: GroupsPeer, message: Message): void {
    switch (message[0]) {
      case 'hello':
        this.#drop(side);
        return this.#sendAll(side);
      case 'sync':
        // Its `hello` may have arrived before groups were started here: then it was not answered.
        if (!side.isSynced) this.#sendAll(side);
        // An earlier `sync` may have answered the `hello` of groups that have been closed here since.
        if (message[2]) this.#drop(side);
        return this.#joined(side, message[1]);
      case 'join':
        return this.#joined(side, message[1]);
      case 'leave':
        return this.#left(side, message[1]);
      case 'cast':
        return this.#castHere(message[1], message[2], true);
      case 'bye':
        this.#announcements.end(side);
        return this.#drop(side);
    }
  }

  #joined(side: GroupsPeer, entries: readonly Entry[]): void {
    for (const [group, pids] of entries) {
      if (!this.hasRoom(group, pids.length, side)) {
        const most = `${this.#options.maxMemberships} memberships (maxMembershipsPerNode)`;
        return this.#suspect(side, `more than ${most}, or than ${MAX_GROUPS_PER_NODE} groups`);
      }
      this.table.join(side, group, pids);
      this.#watchers.joined(group, pids);
    }
  }

  #left(side: GroupsPeer, entries: readonly Entry[]): void {
    for (const [group, pids] of entries) this.#watchers.left(group, this.table.leave(side, group, pids));
  }

  #died(pid: Pid, counts: ReadonlyMap<string, number>): void {
    const changes = [...counts].map(
      ([group, count]): Change => [group, new Array<Pid>(count).fill(pid), this.own.groups.get(group)],
    );
    for (const [group, pids] of changes) this.table.leave(this.own, group, pids);
    this.#announce('leave', changes);
    for (const [group, pids] of changes) this.#watchers.left(group, pids);
  }

  #drop(side: AnySide): void {
    const node = side instanceof GroupsPeer ? side.peer.node : '';
    this.#removals.begin(node, this.table.drop(side));
  }

  #sendAll(side: GroupsPeer): void {
    if (++side.syncs > MAX_SYNCS) return this.#suspect(side, 'too many requests for all members');
    this.#announcements.all(side);
  }

  #announce(what: 'join' | 'leave', changes: readonly Change[]): void {
    this.#announcements.changed(what, changes, this.#peers.values());
  }

  #castTo(sides: readonly GroupsPeer[], group: string, message: unknown, from: Pid | undefined): void {
    const peers = sides.map(({ peer }) => peer);
    const refused = this.#channel?.broadcast(peers, ['cast', group, message], from) ?? peers;
    for (const peer of refused) {
      const isConnected = this.#channel?.peer(peer.node) === peer;
      const members = this.#sideOf(peer)?.groups.get(group)?.size ?? 0;
      this.#runtime.deadLetters.count(isConnected ? 'remote_full' : 'noconnection', peer.node, members);
    }
  }

  /**
   * Delivers once to each member on this node.
   *
   * @param isDecoded whether the message came in a frame, so that no other code holds it.
   */
  #castHere(group: string, message: unknown, isDecoded: boolean): void {
    const roster = this.own.groups.get(group);
    if (roster === undefined) this.#runtime.deadLetters.count('no_name', group);
    else this.#runtime.sender.fanOut(roster.actors(), message, isDecoded);
  }

  #sideOf(peer: ChannelPeer): GroupsPeer | undefined {
    const side = this.#peers.get(peer.node);
    return side?.peer === peer ? side : undefined;
  }

  #suspect(side: GroupsPeer, what: string): void {
    if (side.isSuspect) return;
    side.isSuspect = true;
    const { node } = side.peer;
    const facts = { event: 'groups_bad_message', node, what };
    this.#log.write('warn', facts, 'what a peer sent on a channel of groups is ignored', node);
  }
}

/** What introspection shows of one scope. */
function listingOf(table: GroupTable<AnySide>, own: Side, scope: string | undefined): Listing<GroupInfo> {
  return {
    get size() {
      return table.size;
    },
    keys: () => table.names(),
    describe(group) {
      const members = table.count(group);
      if (members === 0) return undefined;
      return { scope, group, members, localMembers: own.groups.get(group)?.size ?? 0 };
    },
  };
}
