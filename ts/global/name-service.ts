// Connects the parts of this module: passes messages of peers to the part that handles them, and sends the messages of the parts.
import type { Runtime } from '../actor/index.ts';
import { ThrottledLog } from '../kernel/index.ts';
import type { Channel, ChannelListener, ChannelPeer } from '../node/index.ts';
import { Snapshots, StepQueue } from '../peer/index.ts';
import type { Pid } from '../term/index.ts';
import { Ballots } from './ballots.ts';
import type { Claim } from './claim-queue.ts';
import { type ConflictOptions, Duplicates } from './duplicates.ts';
import { LamportClock } from './lamport-clock.ts';
import { Liveness } from './liveness.ts';
import { type Done, LocalRequests } from './local-requests.ts';
import { type Member, OwnNode } from './member.ts';
import { MemberWaits } from './member-waits.ts';
import { Members } from './members.ts';
import { CHANNEL, type Message, parseMessage, type Verdict } from './messages.ts';
import { NameTable, toReplace } from './name-table.ts';
import { OwnEntries } from './own-entries.ts';
import { PeerRequests } from './peer-requests.ts';

/** The part of a node that global names need. */
export interface NamesHost {
  readonly name: string;
  /** False once the node has begun to leave the cluster. */
  readonly isListening: boolean;
  /** Whether the node is stopping. */
  readonly isStopping: boolean;
  readonly isHidden: boolean;
  readonly runtime: Runtime;
  /** @internal */
  channel(name: string, listener: ChannelListener): Channel | undefined;
}

export interface ServiceOptions extends ConflictOptions {
  readonly maxNames: number;
}

export class NameService implements ChannelListener {
  readonly table: NameTable = new NameTable();
  readonly #host: NamesHost;
  readonly #log: ThrottledLog;
  readonly #own: OwnNode;
  readonly #clock = new LamportClock();
  readonly #members: Members;
  readonly #liveness: Liveness;
  readonly #removals: StepQueue;
  readonly #snapshots: Snapshots<Member, Message>;
  readonly #acknowledgements = new MemberWaits();
  /** Calls of `sync`: each waits until the members have sent all their names. */
  readonly #catchUps = new MemberWaits();
  readonly #ballots: Ballots;
  readonly #entries: OwnEntries;
  readonly #duplicates: Duplicates;
  readonly #local: LocalRequests;
  readonly #peers: PeerRequests;
  readonly #channel: Channel | undefined;
  #isClosed = false;

  constructor(host: NamesHost, options: ServiceOptions) {
    const { name, runtime } = host;
    const { table } = this;
    const send = (member: Member, message: Message): void => this.#send(member, message);
    const endSession = (member: Member, why: string): void => this.#endSession(member, why);
    this.#host = host;
    this.#log = new ThrottledLog(runtime);
    this.#removals = new StepQueue(runtime);
    const sendPart = ({ peer }: Member, message: Message): void => this.#channel?.send(peer, message);
    const whenWritable = ({ peer }: Member): Promise<void> | undefined => this.#channel?.whenWritable(peer);
    const snapshots = (this.#snapshots = new Snapshots(runtime, { send: sendPart, whenWritable }));
    const own = (this.#own = new OwnNode(name));
    const members = (this.#members = new Members(own, {
      clock: runtime.clock,
      send,
      sendNames: (member, names) => snapshots.begin(member, names),
      sendPart,
      joined: (member) => this.#joined(member),
      left: (member) => this.#left(member),
      endSession,
    }));
    const liveness = (this.#liveness = new Liveness({
      clock: runtime.clock,
      members: () => members.here(),
      isWaiting: () => this.#isWaiting,
      round: () => {
        this.#local.claims.round();
        this.#ballots.round();
      },
      ping: (member, number) => send(member, ['ping', number]),
      quiet: (member) => this.#quiet(member),
      back: ({ node }) =>
        runtime.logger.info({ event: 'global_names_back', node }, 'a node answers global names again'),
      missedRounds: () => this.#local.claims.startOver(),
      endSession,
    }));
    const ballots = (this.#ballots = new Ballots({
      isTaken: (taken) => table.of(taken) !== undefined,
      vote: (claim, verdict) => this.#vote(claim, verdict),
      inquire: (claim) => this.#inquire(claim),
      overdue: ({ claimant, name: wanted }) => {
        if (claimant !== own)
          endSession(claimant as Member, `it does not end its claim to ${JSON.stringify(wanted)}`);
      },
    }));
    const common = { runtime, maxNames: options.maxNames, own, table, clock: this.#clock, members, liveness };
    const acknowledgements = this.#acknowledgements;
    const entries = (this.#entries = new OwnEntries({ ...common, acknowledgements }, (pid) =>
      this.#local.claims.actorDied(pid),
    ));
    const duplicates = (this.#duplicates = new Duplicates({ runtime, options, own, table, entries, send }));
    const shared = { ...common, ballots, entries, duplicates, send };
    const local = (this.#local = new LocalRequests({ ...shared, acknowledgements }));
    const suspect = (member: Member, what: string): void => this.#suspect(member, what);
    this.#peers = new PeerRequests({ ...shared, local, catchUps: this.#catchUps, suspect, endSession });
    this.#channel = host.channel(CHANNEL, this);
    members.greetAll();
  }

  /** Gives an actor of any node a name. `done` is called once, possibly before this returns. */
  register(request: 'register' | 'reregister', name: string, pid: Pid, done: Done): void {
    this.#local.register(request, name, pid, done, undefined);
  }

  /** Removes a name of the actor that has it on this node, and of no other (Q11). */
  unregister(name: string, done: Done): void {
    this.#local.unregister(name, done);
  }

  /** Calls `done` when every connected node that answers has sent its names. */
  sync(done: Done): void {
    if (this.#isClosed) return done('closed');
    this.#catchUps.begin(this.#own.nextId(), this.#members.unknown(), () =>
      done(this.#isClosed ? 'closed' : 'yes'),
    );
    if (this.#catchUps.size > 0) this.#liveness.begin();
  }

  /** Informs the peers and ends all pending requests. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#local.close();
    this.#entries.close();
    this.#catchUps.close();
    this.#acknowledgements.close();
    this.#liveness.close();
    this.#snapshots.close();
    this.#members.close();
    this.#channel?.close();
    this.#removals.close();
    this.table.clear();
  }

  up(peer: ChannelPeer): void {
    this.#liveness.checkMissed();
    this.#members.up(peer);
    const member = this.#members.of(peer);
    if (member === undefined) return;
    const { claims } = this.#local;
    claims.expect(member);
    for (const { id } of claims.decided()) this.#acknowledgements.add(id, member);
    if (this.#channel !== undefined) this.#members.greet(member);
  }

  down(peer: ChannelPeer): void {
    // A node that stops loses all peers: their missing votes must not count as given.
    if (!this.#host.isListening) return this.close();
    this.#liveness.checkMissed();
    this.#members.down(peer);
  }

  message(peer: ChannelPeer, value: unknown): void {
    const member = this.#members.of(peer);
    if (member === undefined) return;
    this.#liveness.checkMissed();
    this.#liveness.heard(member);
    const message = parseMessage(value);
    if (message === undefined) return this.#suspect(member, 'a malformed message');
    if (message[0] === 'hello') return this.#members.hello(member);
    if (message[0] === 'sync') return this.#peers.synced(member, message);
    // Other messages count from members only (Q12).
    if (member.standing === 'member') this.#handle(member, message);
  }

  #handle(member: Member, message: Message): void {
    switch (message[0]) {
      case 'claim':
        return this.#peers.claimed(member, message);
      case 'vote':
        return this.#peers.voted(member, message);
      case 'ping':
        return this.#send(member, ['pong', message[1]]);
      case 'pong':
        if (!this.#liveness.pong(member, message[1]))
          this.#suspect(member, 'an answer to a ping that was not sent');
        return;
      case 'inquire':
        return this.#local.claims.inquired(member, message[1]);
      case 'yield':
        return this.#ballots.yield(member, message[1]);
      case 'abort':
        return this.#ballots.end(member, message[1]);
      case 'commit':
        return this.#peers.committed(member, message);
      case 'settled':
        return this.#duplicates.settled(member, message[1]);
      case 'drop':
        return this.#peers.dropped(member, message);
      case 'ack':
        member.unacknowledged.delete(message[1]);
        return this.#acknowledgements.arrived(message[1], member);
      case 'lost':
        return this.#duplicates.lost(member, message);
      case 'ask':
        return this.#peers.asked(member, message);
      case 'answer':
        return this.#local.forwarded.answered(member, message[1], message[2], message[3]);
      case 'bye':
        return this.#members.bye(member);
    }
  }

  get #isWaiting(): boolean {
    const waits = this.#acknowledgements.size + this.#catchUps.size;
    return this.#local.claims.size + this.#ballots.size + waits > 0;
  }

  #vote(claim: Claim, verdict: Verdict): void {
    const { claimant, id, name, replaces } = claim;
    if (claimant === this.#own) return this.#local.claims.voted(this.#own, id, verdict);
    const isTold = verdict === 'taken' || (verdict === 'yes' && replaces);
    const known = isTold ? toReplace(this.table.of(name)) : [];
    this.#send(claimant as Member, ['vote', id, verdict, this.#clock.now, known]);
  }

  #inquire({ claimant, id }: Claim): void {
    if (claimant === this.#own) this.#local.claims.inquired(this.#own, id);
    else this.#send(claimant as Member, ['inquire', id]);
  }

  #joined(member: Member): void {
    const { claims, forwarded } = this.#local;
    for (const { id, name, pid, replaces } of claims.decided()) {
      const entry = this.#own.names.get(name);
      if (!entry?.pid.equals(pid)) {
        // The entry has ended: the peer has nothing to acknowledge.
        this.#acknowledgements.arrived(id, member);
        continue;
      }
      this.#acknowledgements.add(id, member);
      this.#send(member, ['commit', id, name, pid, entry.stamp, replaces ? entry.replaced : null]);
    }
    claims.askAgain(member);
    forwarded.joined(member);
  }

  #left(member: Member): void {
    this.#liveness.checkMissed(); // first: the loss may decide a claim, whose votes are void if this node was blocked
    this.#snapshots.end(member);
    this.#removals.begin(member.node, this.table.drop(member));
    this.#duplicates.newOwnerLost(member);
    this.#ballots.gone(member);
    this.#doNotAwait(member);
    this.#local.gone(member);
  }

  #quiet(member: Member): void {
    const facts = { event: 'global_names_quiet', node: member.node };
    this.#host.runtime.logger.warn(facts, 'a node does not answer: global names stop waiting for it');
    this.#ballots.late(member);
    this.#doNotAwait(member);
  }

  #doNotAwait(member: Member): void {
    if (member.standing !== 'expected') this.#catchUps.release(member);
    this.#acknowledgements.release(member);
    this.#local.claims.gone(member);
  }

  #send(member: Member, message: Message): void {
    if (message[0] === 'commit' || (message[0] === 'drop' && message[1] !== 0))
      member.unacknowledged.set(message[1], member.pings);
    this.#snapshots.send(member, message);
  }

  #suspect(member: Member, what: string): void {
    if (member.isSuspect) return;
    member.isSuspect = true;
    const facts = { event: 'global_names_bad_message', node: member.node, what };
    this.#log.write('warn', facts, 'what a peer sent of global names is ignored', member.node);
  }

  #endSession(member: Member, why: string): void {
    const facts = { event: 'global_names_violation', node: member.node, why };
    const what = 'ending the session with a peer that broke the protocol of global names';
    this.#log.write('error', facts, what, member.node);
    // From now on its messages are ignored, and nothing waits for it.
    this.#members.down(member.peer);
    this.#channel?.end(member.peer, why);
  }
}
