// Puts the parts together: what peers say goes to the part it concerns, and what the parts want goes out.
import type { Runtime } from '../actor/index.ts';
import type { Channel, ChannelListener, ChannelPeer } from '../node/index.ts';
import type { Pid } from '../term/index.ts';
import { Acknowledgements } from './acknowledgements.ts';
import { Ballots, type Verdict } from './ballots.ts';
import { CatchUp } from './catch-up.ts';
import type { Claim } from './claim-queue.ts';
import { LamportClock } from './lamport-clock.ts';
import { type Member, OwnNode } from './member.ts';
import { Members } from './members.ts';
import { CHANNEL, type Message, parseMessage } from './messages.ts';
import { NameTable, toReplace } from './name-table.ts';
import { type Done, OwnWishes } from './own-wishes.ts';
import type { Parts, ServiceOptions } from './parts.ts';
import { PeerWishes } from './peer-wishes.ts';
import { RollCall } from './roll-call.ts';
import { SameNames } from './same-names.ts';

/** The part of a node that global names need. */
export interface NamesHost {
  readonly name: string;
  /** False from the moment on when it stops. */
  readonly isAlive: boolean;
  readonly runtime: Runtime;
  /** @internal */
  channel(name: string, listener: ChannelListener): Channel | undefined;
}

export class NameService implements ChannelListener {
  readonly table: NameTable = new NameTable();
  readonly #host: NamesHost;
  readonly #parts: Parts;
  readonly #own: OwnWishes;
  readonly #peers: PeerWishes;
  readonly #channel: Channel | undefined;
  #isClosed = false;

  constructor(host: NamesHost, options: ServiceOptions) {
    this.#host = host;
    this.#parts = this.#makeParts(host, options);
    this.#own = new OwnWishes(this.#parts);
    this.#peers = new PeerWishes(this.#parts, this.#own, (member, what) => this.#suspect(member, what));
    this.#channel = host.channel(CHANNEL, this);
    this.#parts.members.greetAll();
  }

  /** Gives an actor, here or far away, a name; `done` is called once, maybe at once. */
  register(wish: 'register' | 'reregister', name: string, pid: Pid, done: Done): void {
    this.#own.register(wish, name, pid, done);
  }

  /** Takes a name from the actor that is seen to have it here, and from no other (Q11). */
  unregister(name: string, done: Done): void {
    this.#own.unregister(name, done);
  }

  /** `done` is called once every connected node that answers has told its names. */
  sync(done: () => void): void {
    if (this.#isClosed) return done();
    const { members, catchUp, rollCall } = this.#parts;
    catchUp.begin(members.unknown(), done);
    if (catchUp.size > 0) rollCall.begin();
  }

  /** Tells the peers; nothing that is under way comes to a good end. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const { acknowledgements, catchUp, rollCall, members } = this.#parts;
    this.#own.close();
    catchUp.close();
    acknowledgements.close();
    rollCall.close();
    members.close();
    this.#channel?.close();
    this.table.clear();
  }

  up(peer: ChannelPeer): void {
    const { members, acknowledgements, rollCall } = this.#parts;
    const { claims } = this.#own;
    rollCall.wake();
    members.up(peer);
    const member = members.of(peer);
    if (member === undefined) return;
    claims.expect(member);
    for (const { id } of claims.decided()) acknowledgements.add(id, member);
    if (this.#channel !== undefined) members.greet(member);
  }

  down(peer: ChannelPeer): void {
    // When this node stops it loses all peers: what they have not agreed to must not be decided without them.
    if (!this.#host.isAlive) return this.close();
    this.#parts.rollCall.wake();
    this.#parts.members.down(peer);
  }

  message(peer: ChannelPeer, value: unknown): void {
    const { members, rollCall } = this.#parts;
    const member = members.of(peer);
    if (member === undefined) return;
    rollCall.wake();
    rollCall.heard(member);
    const message = parseMessage(value);
    if (message === undefined) return this.#suspect(member, 'a message that is none');
    if (message[0] === 'hello') return members.hello(member);
    if (message[0] === 'sync') return this.#peers.synced(member, message);
    // Only members may speak (Q12).
    if (member.standing === 'member') this.#hear(member, message);
  }

  /** Global names were started anew on this node: they are the ones from now on. */
  replaced(): void {
    this.close();
  }

  #hear(member: Member, message: Message): void {
    const { clock, ballots, acknowledgements, sameNames, members } = this.#parts;
    switch (message[0]) {
      case 'claim':
        return this.#peers.claimed(member, message);
      case 'vote':
        clock.see(message[3]);
        return this.#own.claims.voted(member, message[1], message[2], message[4]);
      case 'ping':
        return this.#send(member, ['pong']);
      case 'pong':
        return;
      case 'inquire':
        return this.#own.claims.inquired(member, message[1]);
      case 'yield':
        return ballots.yield(member, message[1]);
      case 'abort':
        return ballots.end(member, message[1]);
      case 'commit':
        return this.#peers.committed(member, message);
      case 'settled':
        return sameNames.settled(member, message[1]);
      case 'drop':
        return this.#peers.dropped(member, message);
      case 'ack':
        return acknowledgements.of(member, message[1]);
      case 'lost':
        return sameNames.lost(member, message);
      case 'ask':
        return this.#peers.asked(member, message);
      case 'answer':
        return this.#own.requests.answered(member, message[1], message[2]);
      case 'bye':
        return members.bye(member);
    }
  }

  #makeParts({ name, runtime }: NamesHost, options: ServiceOptions): Parts {
    const { table } = this;
    const { clock: time } = runtime;
    const own = new OwnNode(name);
    const clock = new LamportClock();
    const acknowledgements = new Acknowledgements();
    const catchUp = new CatchUp();
    const send = (member: Member, message: Message): void => this.#send(member, message);
    const tellAll = (message: Message): void => {
      for (const member of members.here()) send(member, message);
    };
    const members = new Members(own, {
      clock: time,
      send,
      joined: (member) => this.#joined(member),
      left: (member) => this.#left(member),
    });
    const ballots = new Ballots({
      isTaken: (taken) => table.of(taken) !== undefined,
      vote: (claim, verdict) => this.#vote(claim, verdict),
      inquire: (claim) => this.#inquire(claim),
    });
    const sameNames = new SameNames(own, {
      table,
      runtime,
      options,
      drop: (entry) => this.#own.drop(entry),
      forget: (entry) => this.#own.names.remove(entry.pid, entry.name),
      send,
    });
    const rollCall = new RollCall({
      clock: time,
      members: () => members.here(),
      isWaiting: () => this.#own.claims.size + acknowledgements.size + ballots.size + catchUp.size > 0,
      ask: (member) => send(member, ['ping']),
      quiet: (member) => this.#quiet(member),
      back: ({ node }) =>
        runtime.logger.info({ event: 'global_names_back', node }, 'a node that did not answer does so again'),
      overslept: () => this.#own.claims.startOver(),
    });
    const made = { table, own, clock, acknowledgements, members, ballots, sameNames, rollCall, catchUp };
    return { runtime, options, send, tellAll, ...made };
  }

  #vote(claim: Claim, verdict: Verdict): void {
    const { own, clock } = this.#parts;
    const { claimant, id, name, replaces } = claim;
    if (claimant === own) return this.#own.claims.voted(own, id, verdict);
    const known = replaces && verdict === 'yes' ? toReplace(this.table.of(name)) : [];
    this.#send(claimant as Member, ['vote', id, verdict, clock.now, known]);
  }

  #inquire({ claimant, id }: Claim): void {
    const { own } = this.#parts;
    if (claimant === own) this.#own.claims.inquired(own, id);
    else this.#send(claimant as Member, ['inquire', id]);
  }

  #joined(member: Member): void {
    const { own, acknowledgements } = this.#parts;
    const { claims, requests } = this.#own;
    for (const { id, name, pid, replaces } of claims.decided()) {
      const entry = own.names.get(name);
      if (!entry?.pid.equals(pid)) {
        // The name is gone again: there is nothing that it could acknowledge.
        acknowledgements.of(member, id);
        continue;
      }
      acknowledgements.add(id, member);
      this.#send(member, ['commit', id, name, pid, entry.stamp, replaces ? entry.replaced : null]);
    }
    claims.askAgain(member);
    requests.joined(member);
  }

  #left(member: Member): void {
    const { sameNames, ballots, rollCall } = this.#parts;
    rollCall.wake(); // nothing is decided for its sake with votes that are worth nothing any more
    for (const entry of member.names.values()) this.table.remove(entry);
    sameNames.heirLost(member);
    ballots.gone(member);
    this.#doNotAwait(member);
    this.#own.requests.gone(member);
  }

  #quiet(member: Member): void {
    const facts = { event: 'global_names_quiet', node: member.node };
    const { runtime, ballots } = this.#parts;
    runtime.logger.warn(facts, 'a node does not answer: global names do not wait for it until it does');
    ballots.late(member);
    this.#doNotAwait(member);
  }

  #doNotAwait(member: Member): void {
    if (member.standing !== 'expected') this.#parts.catchUp.over(member);
    this.#parts.acknowledgements.gone(member);
    this.#own.claims.gone(member);
  }

  #send(member: Member, message: Message): void {
    this.#channel?.send(member.peer, message);
  }

  #suspect(member: Member, what: string): void {
    if (member.isSuspect) return;
    member.isSuspect = true;
    this.#parts.runtime.logger.warn({ node: member.node, what }, 'a peer sent nonsense about global names');
  }
}
