// The requests of this node: to register names, for which all nodes have to vote, and to remove names, which need no vote.
import type { Runtime } from '../actor/index.ts';
import type { Pid } from '../term/index.ts';
import type { Ballots } from './ballots.ts';
import { Claims, type LocalOutcome, type OwnClaim, type Voter } from './claims.ts';
import type { Duplicates } from './duplicates.ts';
import { type Answered, ForwardedRequests } from './forwarded-requests.ts';
import type { LamportClock } from './lamport-clock.ts';
import { MAX_IN_FLIGHT } from './limits.ts';
import type { Liveness } from './liveness.ts';
import type { Member, OwnNode } from './member.ts';
import type { MemberWaits } from './member-waits.ts';
import type { Members } from './members.ts';
import type { Message, Request } from './messages.ts';
import { mergeReplaced, type NameTable, type ReplacedEntry, toReplace } from './name-table.ts';
import type { OwnEntries } from './own-entries.ts';
import { RetryPauses } from './retry-pauses.ts';
import { Semaphore } from './semaphore.ts';

/** @param missing with `unvoted`: the nodes that have not voted, as far as this node knows. */
export type Done = (outcome: LocalOutcome, missing?: readonly string[]) => void;

export interface LocalRequestsParts {
  readonly runtime: Runtime;
  readonly maxNames: number;
  readonly own: OwnNode;
  readonly table: NameTable;
  readonly clock: LamportClock;
  readonly members: Members;
  readonly ballots: Ballots;
  readonly entries: OwnEntries;
  readonly duplicates: Duplicates;
  readonly acknowledgements: MemberWaits;
  readonly liveness: Liveness;
  readonly send: (member: Member, message: Message) => void;
}

export class LocalRequests {
  readonly claims: Claims;
  readonly forwarded: ForwardedRequests;
  readonly #parts: LocalRequestsParts;
  readonly #pauses: RetryPauses;
  readonly #semaphore = new Semaphore(MAX_IN_FLIGHT);
  #isClosed = false;

  constructor(parts: LocalRequestsParts) {
    this.#parts = parts;
    this.#pauses = new RetryPauses(parts.runtime.clock);
    const { own, table, members } = parts;
    this.claims = new Claims({
      pauses: this.#pauses,
      voters: () => [own, ...members.awaited()],
      ask: (voter, claim) => this.#ask(voter, claim),
      giveBack: (voter, id) => this.#giveBack(voter, id),
      giveUp: (claim) => this.#giveUp(claim),
      nextId: () => own.nextId(),
      isDoubtful: (voter, claim, taken) => voter !== own && this.#isDoubtful(claim.name, taken, voter.node),
      isTaken: (name) => table.of(name) !== undefined,
      decide: (claim) => this.#decide(claim),
    });
    this.forwarded = new ForwardedRequests((member, message) => parts.send(member, message));
  }

  /**
   * Gives an actor of any node a name. `done` is called once, possibly before this returns.
   *
   * @param asker the peer that requested it, if it was one.
   */
  register(
    request: 'register' | 'reregister',
    name: string,
    pid: Pid,
    done: Done,
    asker: Member | undefined,
  ): void {
    if (this.#isClosed) return done('closed');
    if (request === 'register' && this.#parts.table.of(name) !== undefined) return done('taken');
    if (pid.nc === 0) this.#claim(request, name, pid, done, asker);
    else this.#forward(request, name, pid, done);
  }

  /** Removes a name of the actor that has it on this node, and of no other (Q11). */
  unregister(name: string, done: Done): void {
    const entry = this.#parts.table.of(name);
    if (entry === undefined || this.#isClosed) return done('gone');
    if (entry.owner === this.#parts.own) this.#parts.entries.drop(entry, () => done('yes'));
    else this.#forward('unregister', name, entry.pid, done);
  }

  /** A peer is not a member any more. What it has requested and is not begun would wait here beyond its session: it ends. */
  gone(member: Member): void {
    this.forwarded.gone(member);
    if (member.asked > 0) this.#semaphore.void(member);
  }

  /** Ends all pending requests. */
  close(): void {
    this.#isClosed = true;
    this.claims.close();
    this.forwarded.close();
    this.#pauses.close();
  }

  #claim(request: Request, name: string, pid: Pid, done: Done, asker: Member | undefined): void {
    const { runtime, maxNames, own, clock, entries, liveness } = this.#parts;
    if (!runtime.isAlive(pid)) return done('gone');
    if (own.names.size >= maxNames) return done('full');
    const begin = (): void => {
      const isVoid = asker !== undefined && asker.standing !== 'member';
      if (this.#isClosed || isVoid || !runtime.isAlive(pid)) {
        this.#semaphore.leave();
        return done(this.#isClosed ? 'closed' : 'gone');
      }
      entries.watch(pid);
      liveness.begin();
      this.claims.start({
        id: own.nextId(),
        name,
        pid,
        stamp: clock.tick(),
        replaces: request === 'reregister',
        replaced: [],
        missing: new Set(),
        isDecided: false,
        rounds: 0,
        forgotten: 0,
        askedAgain: 0,
        done: (outcome, missing = []) => {
          this.#semaphore.leave();
          // When this node itself has not voted, another claim holds its vote: name the node of that claim.
          const holder = this.#parts.ballots.holder(name);
          done(outcome, [...new Set(missing.map((node) => (node === own.node ? (holder ?? node) : node)))]);
        },
      });
    };
    this.#semaphore.enter(begin, asker);
  }

  /** Asks the node of the actor. Asks again when that node does not know yet that the name is free. */
  #forward(request: Request, name: string, pid: Pid, done: Done, askedAgain = 0): void {
    const { own, members, table } = this.#parts;
    if (this.#isClosed) return done('closed');
    const member = members.byNumber(pid.nc);
    if (member === undefined) return done('gone');
    const answered: Answered = (outcome, known) => {
      const isOver = outcome !== 'taken' || !this.#isDoubtful(name, known?.[0], member.node);
      const next = (): void => {
        if (table.of(name) !== undefined) done('taken');
        else this.#forward(request, name, pid, done, askedAgain + 1);
      };
      if (isOver || !this.#pauses.begin(askedAgain, next)) done(outcome);
    };
    const id = own.nextId();
    this.forwarded.ask(member, id, ['ask', id, request, name, pid], answered);
  }

  /**
   * Whether an entry that another node sees, and this one does not, may be about to end or to become known here. It may if its owner is
   * this node, or a member that answers, other than the node that sees it.
   */
  #isDoubtful(name: string, taken: ReplacedEntry | undefined, seenBy: string): boolean {
    const { table, members } = this.#parts;
    if (taken === undefined || table.of(name) !== undefined) return false;
    const [pid] = taken;
    if (pid.nc === 0) return true;
    const owner = members.byNumber(pid.nc);
    return owner?.standing === 'member' && !owner.isQuiet && owner.node !== seenBy;
  }

  #ask(voter: Voter, { id, name, stamp, replaces }: OwnClaim): void {
    const { own, ballots } = this.#parts;
    if (voter === own) ballots.claim({ claimant: own, id, name, stamp, replaces });
    // A peer that is not a member yet is asked when it joins: only members learn how a claim ends.
    else if ((voter as Member).standing === 'member')
      this.#parts.send(voter as Member, ['claim', id, name, stamp, replaces]);
  }

  #giveBack(voter: Voter, id: number): void {
    const { own, ballots } = this.#parts;
    if (voter === own) ballots.yield(own, id);
    else this.#parts.send(voter as Member, ['yield', id]);
  }

  #giveUp({ id }: OwnClaim): void {
    this.#parts.members.tellAll(['abort', id]);
    this.#parts.ballots.end(this.#parts.own, id);
  }

  #decide(claim: OwnClaim): void {
    const { own, table, clock, members, acknowledgements, ballots, entries, duplicates } = this.#parts;
    const { id, name, pid, replaces } = claim;
    const stamp = clock.tick();
    const known = replaces ? mergeReplaced(toReplace(table.of(name)), claim.replaced) : [];
    // Entries of this node need not be remembered: the new one overwrites them.
    const replaced = known.filter(([old]) => old.nc !== 0);
    const entry = { name, pid, stamp, owner: own, replaced };
    entries.add(entry);
    members.tellAll(['commit', id, name, pid, stamp, replaces ? replaced : null]);
    duplicates.show(entry, replaces ? id : undefined);
    ballots.end(own, id);
    acknowledgements.begin(id, members.awaited(), () => {
      if (replaces) members.tellAll(['settled', id]);
      this.claims.acknowledged(claim);
    });
  }
}
