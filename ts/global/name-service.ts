// Puts the parts together: what peers say goes to the part it concerns, and what the parts want goes out.
import type { Runtime } from '../actor/index.ts';
import type { Channel, ChannelListener, ChannelPeer } from '../node/index.ts';
import type { Pid } from '../term/index.ts';
import { Acknowledgements } from './acknowledgements.ts';
import { Ballots, type Claim } from './ballots.ts';
import { Claims, type OwnClaim, type Voter } from './claims.ts';
import { LamportClock } from './lamport-clock.ts';
import { MAX_CLAIMS_PER_NODE, MAX_IN_FLIGHT } from './limits.ts';
import { type Member, OwnNode } from './member.ts';
import { Members } from './members.ts';
import { CHANNEL, type Message, type Outcome, parseMessage, type Vote, type Wish } from './messages.ts';
import { type Entry, NameTable } from './name-table.ts';
import { OwnNames } from './own-names.ts';
import { Requests } from './requests.ts';
import { RollCall } from './roll-call.ts';
import { type ConflictOptions, SameNames } from './same-names.ts';
import { Turns } from './turns.ts';

/** The part of a node that global names need. */
export interface NamesHost {
  readonly name: string;
  /** False from the moment on when it stops. */
  readonly isAlive: boolean;
  readonly runtime: Runtime;
  /** @internal */
  channel(name: string, listener: ChannelListener): Channel | undefined;
}

export interface ServiceOptions extends ConflictOptions {
  readonly maxNames: number;
}

type Done = (outcome: Outcome) => void;

export class NameService implements ChannelListener {
  readonly table: NameTable = new NameTable();
  readonly #host: NamesHost;
  readonly #runtime: Runtime;
  readonly #options: ServiceOptions;
  readonly #own: OwnNode;
  readonly #clock = new LamportClock();
  readonly #members: Members;
  readonly #ballots: Ballots;
  readonly #claims: Claims;
  readonly #acknowledgements = new Acknowledgements();
  readonly #requests = new Requests((member, message) => this.#send(member, message));
  readonly #rollCall: RollCall;
  readonly #turns = new Turns(MAX_IN_FLIGHT);
  readonly #ownNames: OwnNames;
  readonly #sameNames: SameNames;
  readonly #channel: Channel | undefined;
  #ids = 0;
  #isClosed = false;

  constructor(host: NamesHost, options: ServiceOptions) {
    this.#host = host;
    this.#runtime = host.runtime;
    this.#options = options;
    this.#own = new OwnNode(host.name);
    this.#members = new Members(this.#own, {
      clock: host.runtime.clock,
      send: (member, message) => this.#send(member, message),
      joined: (member) => this.#joined(member),
      left: (member) => this.#left(member),
    });
    this.#ballots = new Ballots({
      isTaken: (name) => this.table.of(name) !== undefined,
      vote: (claim, verdict) => this.#vote(claim, verdict),
      inquire: (claim) => this.#inquire(claim),
    });
    this.#claims = new Claims({
      voters: () => [this.#own, ...this.#members.awaited()],
      ask: (voter, claim) => this.#ask(voter, claim),
      giveBack: (voter, id) => this.#giveBack(voter, id),
      giveUp: (claim) => this.#giveUp(claim),
      nextId: () => ++this.#ids,
      decide: (claim) => this.#decide(claim),
    });
    this.#sameNames = new SameNames(this.#own, {
      table: this.table,
      runtime: host.runtime,
      options,
      drop: (entry) => this.#drop(entry),
      forget: ({ pid, name }) => this.#ownNames.remove(pid, name),
      send: (member, message) => this.#send(member, message),
      tellAll: (message) => this.#tellAll(message),
    });
    this.#rollCall = new RollCall({
      clock: host.runtime.clock,
      members: () => this.#members.here(),
      isWaiting: () => this.#claims.size + this.#acknowledgements.size + this.#ballots.size > 0,
      ask: (member) => this.#send(member, ['ping']),
      quiet: (member) => this.#quiet(member),
      overslept: () => this.#claims.startOver(),
    });
    this.#ownNames = new OwnNames(host.runtime, (pid, names) => this.#died(pid, names));
    this.#channel = host.channel(CHANNEL, this);
    this.#members.greetAll();
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Gives an actor, here or far away, a name; `done` is called once, maybe at once. */
  register(wish: 'register' | 'reregister', name: string, pid: Pid, done: Done): void {
    if (this.#isClosed) return done('gone');
    if (wish === 'register' && this.table.of(name) !== undefined) return done('taken');
    if (pid.nc === 0) return this.#claim(wish, name, pid, done);
    this.#request(wish, name, pid, done);
  }

  /** Takes a name from the actor that is seen to have it here, and from no other (Q11). */
  unregister(name: string, done: Done): void {
    const entry = this.table.of(name);
    if (entry === undefined || this.#isClosed) return done('gone');
    if (entry.owner === this.#own) this.#drop(entry, () => done('yes'));
    else this.#request('unregister', name, entry.pid, done);
  }

  /** Tells the peers; nothing that is under way comes to a good end. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#claims.close();
    this.#requests.close();
    this.#acknowledgements.close();
    this.#rollCall.close();
    this.#members.close();
    this.#ownNames.close();
    this.#channel?.close();
    this.table.clear();
  }

  up(peer: ChannelPeer): void {
    this.#rollCall.wake();
    this.#members.up(peer);
    const member = this.#members.of(peer);
    if (member === undefined) return;
    this.#claims.expect(member);
    for (const { id } of this.#claims.decided()) this.#acknowledgements.add(id, member);
    if (this.#channel !== undefined) this.#members.greet(member);
  }

  down(peer: ChannelPeer): void {
    // When this node stops it loses all peers: what they have not agreed to must not be decided without them.
    if (!this.#host.isAlive) return this.close();
    this.#rollCall.wake();
    this.#members.down(peer);
  }

  message(peer: ChannelPeer, value: unknown): void {
    const member = this.#members.of(peer);
    if (member === undefined) return;
    this.#rollCall.wake();
    this.#rollCall.heard(member);
    const message = parseMessage(value);
    if (message === undefined) return this.#suspect(member, 'a message that is none');
    if (message[0] === 'hello') return this.#members.hello(member);
    if (message[0] === 'sync') return this.#sync(member, message);
    // Only members may speak (Q12).
    if (member.standing === 'member') this.#hear(member, message);
  }

  #hear(member: Member, message: Message): void {
    switch (message[0]) {
      case 'claim':
        return this.#claimed(member, message);
      case 'vote':
        this.#clock.see(message[3]);
        return this.#claims.voted(member, message[1], message[2]);
      case 'ping':
        return this.#send(member, ['pong']);
      case 'pong':
        return;
      case 'inquire':
        return this.#claims.inquired(member, message[1]);
      case 'yield':
        return this.#ballots.yield(member, message[1]);
      case 'abort':
        return this.#ballots.end(member, message[1]);
      case 'commit':
        return this.#committed(member, message);
      case 'settled':
        return this.#sameNames.settled(member, message[1]);
      case 'drop':
        return this.#dropped(member, message);
      case 'ack':
        return this.#acknowledgements.of(member, message[1]);
      case 'lost':
        return this.#sameNames.lost(member, message);
      case 'ask':
        return this.#asked(member, message);
      case 'answer':
        return this.#requests.answered(member, message[1], message[2]);
      case 'bye':
        return this.#members.bye(member);
    }
  }

  // --- What this node wants ---

  #claim(wish: Wish, name: string, pid: Pid, done: Done): void {
    if (!this.#runtime.isAlive(pid)) return done('gone');
    if (this.#own.names.size >= this.#options.maxNames) return done('full');
    this.#turns.enter(() => {
      if (this.#isClosed || !this.#runtime.isAlive(pid)) {
        this.#turns.leave();
        return done('gone');
      }
      this.#ownNames.watch(pid);
      this.#rollCall.begin();
      this.#claims.start({
        id: ++this.#ids,
        name,
        pid,
        stamp: this.#clock.tick(),
        replaces: wish === 'reregister',
        missing: new Set(),
        isDecided: false,
        done: (outcome) => {
          this.#turns.leave();
          done(outcome);
        },
      });
    });
  }

  #request(wish: Wish, name: string, pid: Pid, done: Done): void {
    const member = this.#members.byNumber(pid.nc);
    if (member === undefined) return done('gone');
    const id = ++this.#ids;
    this.#requests.ask(member, id, ['ask', id, wish, name, pid], done);
  }

  #ask(voter: Voter, { id, name, stamp, replaces }: OwnClaim): void {
    if (voter === this.#own) this.#ballots.claim({ claimant: this.#own, id, name, stamp, replaces });
    // One of whom it is not known yet whether it takes part is asked when it joins: only members hear how a claim ended.
    else if ((voter as Member).standing === 'member')
      this.#send(voter as Member, ['claim', id, name, stamp, replaces]);
  }

  #giveBack(voter: Voter, id: number): void {
    if (voter === this.#own) this.#ballots.yield(this.#own, id);
    else this.#send(voter as Member, ['yield', id]);
  }

  #giveUp({ id }: OwnClaim): void {
    this.#tellAll(['abort', id]);
    this.#ballots.end(this.#own, id);
  }

  #decide(claim: OwnClaim): void {
    const { id, name, pid, replaces } = claim;
    const stamp = this.#clock.tick();
    const before = this.#own.names.get(name);
    if (before !== undefined) this.#ownNames.remove(before.pid, name);
    const entry = { name, pid, stamp, owner: this.#own };
    this.#ownNames.add(pid, name);
    this.#tellAll(['commit', id, name, pid, stamp, replaces]);
    this.#sameNames.show(entry, replaces ? id : undefined);
    this.#ballots.end(this.#own, id);
    this.#acknowledgements.expect(id, this.#members.awaited(), () => {
      if (replaces) this.#tellAll(['settled', id]);
      this.#claims.acknowledged(claim);
    });
  }

  /** Removes a name of this node everywhere. */
  #drop(entry: Entry, done?: () => void): void {
    const { name, pid, stamp } = entry;
    this.table.remove(entry);
    this.#ownNames.remove(pid, name);
    const id = done === undefined ? 0 : ++this.#ids;
    this.#tellAll(['drop', id, name, stamp]);
    if (done === undefined) return;
    this.#rollCall.begin();
    this.#acknowledgements.expect(id, this.#members.answering(), done);
  }

  #died(pid: Pid, names: Iterable<string>): void {
    this.#claims.actorDied(pid);
    for (const name of names) {
      const entry = this.#own.names.get(name);
      if (entry?.pid.equals(pid)) this.#drop(entry);
    }
  }

  // --- What peers want ---

  #vote(claim: Claim, verdict: Vote): void {
    const { claimant, id } = claim;
    if (claimant === this.#own) this.#claims.voted(this.#own, id, verdict);
    else this.#send(claimant as Member, ['vote', id, verdict, this.#clock.now]);
  }

  #inquire({ claimant, id }: Claim): void {
    if (claimant === this.#own) this.#claims.inquired(this.#own, id);
    else this.#send(claimant as Member, ['inquire', id]);
  }

  #claimed(claimant: Member, [, id, name, stamp, replaces]: Message & { readonly 0: 'claim' }): void {
    this.#clock.see(stamp);
    this.#rollCall.begin();
    const claim = { claimant, id, name, stamp, replaces };
    const isFull = claimant.names.size + claimant.claims.size >= this.#options.maxNames;
    if (isFull || claimant.claims.size >= MAX_CLAIMS_PER_NODE) this.#vote(claim, 'full');
    else this.#ballots.claim(claim);
  }

  #committed(owner: Member, [, id, name, pid, stamp, replaces]: Message & { readonly 0: 'commit' }): void {
    this.#learn(owner, name, pid, stamp, replaces ? id : undefined);
    this.#ballots.end(owner, id);
    this.#send(owner, ['ack', id]);
  }

  #sync(owner: Member, [, entries]: Message & { readonly 0: 'sync' }): void {
    this.#members.join(owner);
    for (const [name, pid, stamp] of entries) this.#learn(owner, name, pid, stamp, undefined);
  }

  /** A peer tells a name of an actor of its own: nobody else may (T12). */
  #learn(owner: Member, name: string, pid: Pid, stamp: number, switched: number | undefined): void {
    this.#clock.see(stamp);
    if (pid.nc !== owner.peer.nc) return this.#suspect(owner, 'a name of an actor of another node');
    if (owner.names.size >= this.#options.maxNames && !owner.names.has(name))
      return this.#suspect(owner, 'more names than a node may have');
    this.#sameNames.show({ name, pid, stamp, owner }, switched);
  }

  #dropped(owner: Member, [, id, name, stamp]: Message & { readonly 0: 'drop' }): void {
    const entry = owner.names.get(name);
    if (entry?.stamp === stamp) this.table.remove(entry);
    if (id !== 0) this.#send(owner, ['ack', id]);
  }

  #asked(member: Member, [, id, wish, name, pid]: Message & { readonly 0: 'ask' }): void {
    const answer: Done = (outcome) => {
      member.asked--;
      if (member.standing === 'member') this.#send(member, ['answer', id, outcome]);
    };
    member.asked++;
    if (member.asked > MAX_CLAIMS_PER_NODE) return answer('full');
    if (pid.nc !== 0) return answer('gone');
    if (wish !== 'unregister') return this.register(wish, name, pid, answer);
    const entry = this.#own.names.get(name);
    if (entry?.pid.equals(pid)) this.#drop(entry, () => answer('yes'));
    else answer('gone');
  }

  // --- Members ---

  #joined(member: Member): void {
    for (const { id, name, pid, replaces } of this.#claims.decided()) {
      const entry = this.#own.names.get(name);
      if (!entry?.pid.equals(pid)) {
        // The name is gone again: there is nothing that it could acknowledge.
        this.#acknowledgements.of(member, id);
        continue;
      }
      this.#acknowledgements.add(id, member);
      this.#send(member, ['commit', id, name, pid, entry.stamp, replaces]);
    }
    this.#claims.askAgain(member);
    this.#requests.joined(member);
  }

  #left(member: Member): void {
    for (const entry of member.names.values()) this.table.remove(entry);
    for (const claim of [...member.switched.keys()]) this.#sameNames.settled(member, claim);
    this.#ballots.gone(member);
    this.#acknowledgements.gone(member);
    this.#claims.gone(member);
    this.#requests.gone(member);
  }

  #quiet(member: Member): void {
    const facts = { event: 'global_names_quiet', node: member.node };
    this.#runtime.logger.warn(facts, 'a node does not answer: global names do not wait for it until it does');
    this.#ballots.late(member);
    this.#acknowledgements.gone(member);
    this.#claims.gone(member);
  }

  // --- The wire ---

  #send(member: Member, message: Message): void {
    this.#channel?.send(member.peer, message);
  }

  #tellAll(message: Message): void {
    for (const member of this.#members.here()) this.#send(member, message);
  }

  #suspect(member: Member, what: string): void {
    if (member.isSuspect) return;
    member.isSuspect = true;
    this.#runtime.logger.warn({ node: member.node, what }, 'a peer sent nonsense about global names');
  }
}
