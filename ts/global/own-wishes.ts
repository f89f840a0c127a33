// What this node wants: names for its actors, which all have to agree to, and the end of names, which it only tells.
import type { Pid } from '../term/index.ts';
import { Claims, type OwnClaim, type Voter } from './claims.ts';
import { MAX_IN_FLIGHT } from './limits.ts';
import type { Member } from './member.ts';
import type { Outcome, Wish } from './messages.ts';
import { type Entry, mergeReplaced, toReplace } from './name-table.ts';
import { OwnNames } from './own-names.ts';
import type { Parts } from './parts.ts';
import { Requests } from './requests.ts';
import { Turns } from './turns.ts';

export type Done = (outcome: Outcome) => void;

export class OwnWishes {
  readonly claims: Claims;
  readonly requests: Requests;
  readonly names: OwnNames;
  readonly #parts: Parts;
  readonly #turns = new Turns(MAX_IN_FLIGHT);
  #ids = 0;
  #isClosed = false;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.claims = new Claims({
      voters: () => [parts.own, ...parts.members.awaited()],
      ask: (voter, claim) => this.#ask(voter, claim),
      giveBack: (voter, id) => this.#giveBack(voter, id),
      giveUp: (claim) => this.#giveUp(claim),
      nextId: () => ++this.#ids,
      decide: (claim) => this.#decide(claim),
    });
    this.requests = new Requests((member, message) => parts.send(member, message));
    this.names = new OwnNames(parts.runtime, (pid, names) => this.#died(pid, names));
  }

  /** `done` is called once, maybe at once. */
  register(wish: 'register' | 'reregister', name: string, pid: Pid, done: Done): void {
    if (this.#isClosed) return done('gone');
    if (wish === 'register' && this.#parts.table.of(name) !== undefined) return done('taken');
    if (pid.nc === 0) return this.#claim(wish, name, pid, done);
    this.#request(wish, name, pid, done);
  }

  /** Takes a name from the actor that is seen to have it here, and from no other (Q11). */
  unregister(name: string, done: Done): void {
    const entry = this.#parts.table.of(name);
    if (entry === undefined || this.#isClosed) return done('gone');
    if (entry.owner === this.#parts.own) this.drop(entry, () => done('yes'));
    else this.#request('unregister', name, entry.pid, done);
  }

  /** Removes a name of this node everywhere. */
  drop(entry: Entry, done?: () => void): void {
    const { table, members, acknowledgements, rollCall } = this.#parts;
    const { name, pid, stamp } = entry;
    table.remove(entry);
    this.names.remove(pid, name);
    const id = done === undefined ? 0 : ++this.#ids;
    this.#parts.tellAll(['drop', id, name, stamp]);
    if (done === undefined) return;
    rollCall.begin();
    acknowledgements.expect(id, members.answering(), done);
  }

  /** Nothing that is under way comes to a good end. */
  close(): void {
    this.#isClosed = true;
    this.claims.close();
    this.requests.close();
    this.names.close();
  }

  #claim(wish: Wish, name: string, pid: Pid, done: Done): void {
    const { runtime, own, options, clock, rollCall } = this.#parts;
    if (!runtime.isAlive(pid)) return done('gone');
    if (own.names.size >= options.maxNames) return done('full');
    this.#turns.enter(() => {
      if (this.#isClosed || !runtime.isAlive(pid)) {
        this.#turns.leave();
        return done('gone');
      }
      this.names.watch(pid);
      rollCall.begin();
      this.claims.start({
        id: ++this.#ids,
        name,
        pid,
        stamp: clock.tick(),
        replaces: wish === 'reregister',
        replaced: [],
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
    const member = this.#parts.members.byNumber(pid.nc);
    if (member === undefined) return done('gone');
    const id = ++this.#ids;
    this.requests.ask(member, id, ['ask', id, wish, name, pid], done);
  }

  #ask(voter: Voter, { id, name, stamp, replaces }: OwnClaim): void {
    const { own, ballots } = this.#parts;
    if (voter === own) ballots.claim({ claimant: own, id, name, stamp, replaces });
    // One of whom it is not known yet whether it takes part is asked when it joins: only members hear how a claim ended.
    else if ((voter as Member).standing === 'member')
      this.#parts.send(voter as Member, ['claim', id, name, stamp, replaces]);
  }

  #giveBack(voter: Voter, id: number): void {
    const { own, ballots } = this.#parts;
    if (voter === own) ballots.yield(own, id);
    else this.#parts.send(voter as Member, ['yield', id]);
  }

  #giveUp({ id }: OwnClaim): void {
    this.#parts.tellAll(['abort', id]);
    this.#parts.ballots.end(this.#parts.own, id);
  }

  #decide(claim: OwnClaim): void {
    const { own, table, clock, members, acknowledgements, ballots, sameNames } = this.#parts;
    const { id, name, pid, replaces } = claim;
    const stamp = clock.tick();
    const before = own.names.get(name);
    if (before !== undefined) this.names.remove(before.pid, name);
    const known = replaces ? mergeReplaced(toReplace(table.of(name)), claim.replaced) : [];
    // An entry of this node needs no memory: the new one takes its place.
    const replaced = known.filter(([old]) => old.nc !== 0);
    const entry = { name, pid, stamp, owner: own, replaced };
    this.names.add(pid, name);
    this.#parts.tellAll(['commit', id, name, pid, stamp, replaces ? replaced : null]);
    sameNames.show(entry, replaces ? id : undefined);
    ballots.end(own, id);
    acknowledgements.expect(id, members.awaited(), () => {
      if (replaces) this.#parts.tellAll(['settled', id]);
      this.claims.acknowledged(claim);
    });
  }

  #died(pid: Pid, names: Iterable<string>): void {
    this.claims.actorDied(pid);
    for (const name of names) {
      const entry = this.#parts.own.names.get(name);
      if (entry?.pid.equals(pid)) this.drop(entry);
    }
  }
}
