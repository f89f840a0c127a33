// The claimant's side: a first round asks every node for its vote, a second one sends the result to every node. The caller gets its
// answer when all have acknowledged the result: a yes means that every connected node resolves the name (Q1).
import type { Pid } from '../term/index.ts';
import { MAX_FORGOTTEN, MAX_VOTE_ROUNDS } from './limits.ts';
import type { Member, OwnNode } from './member.ts';
import type { Outcome, Verdict } from './messages.ts';
import { mergeReplaced, type ReplacedEntry } from './name-table.ts';
import type { RetryPauses } from './retry-pauses.ts';

export type Voter = Member | OwnNode;

/** How a request of this node ends. `closed`: global names were closed on this node. */
export type LocalOutcome = Outcome | 'closed';

/** A claim of this node, from the first question to the last acknowledgement. */
export interface OwnClaim {
  /** Changes when the claim starts over. */
  id: number;
  readonly name: string;
  readonly pid: Pid;
  /** The stamp of the claim; its entry gets one of its own. */
  readonly stamp: number;
  readonly replaces: boolean;
  /** For a `reregister`: the entries that it replaces, as far as the voters know them. */
  replaced: readonly ReplacedEntry[];
  /** Voters whose vote is missing. */
  readonly missing: Set<Voter>;
  isDecided: boolean;
  /** Rounds for which it has waited for votes. */
  rounds: number;
  /** How often a voter has forgotten it. */
  forgotten: number;
  /** How often a voter was asked again. */
  askedAgain: number;
  /** @param missing with `unvoted`: the nodes that have not voted. */
  readonly done: (outcome: LocalOutcome, missing?: readonly string[]) => void;
}

export interface ClaimsPort {
  readonly pauses: RetryPauses;
  /** All nodes that have to vote: this one, the members that answer, and peers that may become members. */
  voters(): Iterable<Voter>;
  ask(voter: Voter, claim: OwnClaim): void;
  giveBack(voter: Voter, id: number): void;
  giveUp(claim: OwnClaim): void;
  nextId(): number;
  /** Whether the entry for which a voter refuses the name may be about to end, or to become known here. */
  isDoubtful(voter: Voter, claim: OwnClaim, taken: ReplacedEntry | undefined): boolean;
  isTaken(name: string): boolean;
  /** All have voted: puts the entry into the table and tells the members. */
  decide(claim: OwnClaim): void;
}

export class Claims {
  readonly #pending = new Map<number, OwnClaim>();
  /** Undecided claims by the local id of their actor: they end with it. */
  readonly #byActor = new Map<number, Set<OwnClaim>>();
  readonly #port: ClaimsPort;

  constructor(port: ClaimsPort) {
    this.#port = port;
  }

  /** Claims that are not over. */
  get size(): number {
    return this.#pending.size;
  }

  /** Asks all voters. */
  start(claim: OwnClaim): void {
    this.#pending.set(claim.id, claim);
    const ofActor = this.#byActor.get(claim.pid.local);
    if (ofActor === undefined) this.#byActor.set(claim.pid.local, new Set([claim]));
    else ofActor.add(claim);
    for (const voter of this.#port.voters()) claim.missing.add(voter);
    // Put all in `missing` before asking the first: this node votes at once, and its vote must not look like the last one.
    for (const voter of [...claim.missing]) if (this.#pending.has(claim.id)) this.#port.ask(voter, claim);
  }

  voted(voter: Voter, id: number, verdict: Verdict, known: readonly ReplacedEntry[] = []): void {
    const claim = this.#undecided(id);
    if (claim === undefined) return;
    if (verdict === 'late') return this.#forgotten(voter, claim);
    if (verdict === 'taken' && this.#port.isDoubtful(voter, claim, known[0]))
      return this.#askLater(voter, claim);
    if (verdict !== 'yes') return this.#fail(claim, verdict);
    if (claim.replaces) claim.replaced = mergeReplaced(claim.replaced, known);
    claim.missing.delete(voter);
    this.#decideIfReady(claim);
  }

  /** A voter asks for its vote back. Ignored when the claim is decided. */
  inquired(voter: Voter, id: number): void {
    const claim = this.#undecided(id);
    if (claim === undefined || claim.missing.has(voter)) return;
    claim.missing.add(voter);
    this.#port.giveBack(voter, id);
  }

  /** A new voter has to vote on every undecided claim. */
  expect(voter: Voter): void {
    for (const claim of this.#pending.values()) if (!claim.isDecided) claim.missing.add(voter);
  }

  /** Asks a voter that can be asked now for its vote on every undecided claim. */
  askAgain(voter: Voter): void {
    for (const claim of [...this.#pending.values()]) {
      if (claim.isDecided || !this.#pending.has(claim.id)) continue;
      claim.missing.add(voter);
      this.#port.ask(voter, claim);
    }
  }

  /** Voters may have forgotten the claims of this node: asks for all votes again. A vote for an earlier number is ignored. */
  startOver(): void {
    this.#startOver([...this.#pending.values()].filter(({ isDecided }) => !isDecided));
  }

  /** A round of pings is over: ends claims for which voters that answer have not voted for too long. O(claims). */
  round(): void {
    for (const claim of [...this.#pending.values()]) {
      if (!claim.isDecided && ++claim.rounds > MAX_VOTE_ROUNDS) this.#fail(claim, 'unvoted');
    }
  }

  /** A voter need not vote any more. */
  gone(voter: Voter): void {
    for (const claim of [...this.#pending.values()]) {
      if (claim.missing.delete(voter)) this.#decideIfReady(claim);
    }
  }

  /** Decided claims that not all members have acknowledged. */
  decided(): OwnClaim[] {
    return [...this.#pending.values()].filter((claim) => claim.isDecided);
  }

  /** All members have acknowledged the entry. */
  acknowledged(claim: OwnClaim): void {
    if (this.#pending.delete(claim.id)) claim.done('yes');
  }

  actorDied(pid: Pid): void {
    for (const claim of [...(this.#byActor.get(pid.local) ?? [])]) this.#fail(claim, 'gone');
  }

  /** Ends all claims. A name that not all members have acknowledged ends with the names of this node. */
  close(): void {
    for (const claim of [...this.#pending.values()]) this.#fail(claim, 'closed');
  }

  /** A voter has forgotten the claim because this node was blocked. It starts over, at most MAX_FORGOTTEN times. */
  #forgotten(voter: Voter, claim: OwnClaim): void {
    claim.missing.add(voter);
    if (++claim.forgotten > MAX_FORGOTTEN) this.#fail(claim, 'unvoted');
    else this.#startOver([claim]);
  }

  #askLater(voter: Voter, claim: OwnClaim): void {
    const { id } = claim;
    const next = (): void => {
      if (this.#undecided(id) !== claim || !claim.missing.has(voter)) return;
      if (this.#port.isTaken(claim.name)) this.#fail(claim, 'taken');
      else this.#port.ask(voter, claim);
    };
    if (!this.#port.pauses.begin(claim.askedAgain++, next)) this.#fail(claim, 'taken');
  }

  #startOver(claims: readonly OwnClaim[]): void {
    // Remove all before giving up the first: giving up one may free the vote of another, which must not decide that one.
    for (const { id } of claims) this.#pending.delete(id);
    for (const claim of claims) this.#port.giveUp(claim);
    for (const claim of claims) {
      claim.id = this.#port.nextId();
      claim.missing.clear();
      claim.replaced = [];
      this.start(claim);
    }
  }

  #undecided(id: number): OwnClaim | undefined {
    const claim = this.#pending.get(id);
    return claim?.isDecided === false ? claim : undefined;
  }

  #decideIfReady(claim: OwnClaim): void {
    if (claim.missing.size > 0 || claim.isDecided || !this.#pending.has(claim.id)) return;
    claim.isDecided = true;
    this.#forget(claim);
    this.#port.decide(claim);
  }

  #fail(claim: OwnClaim, outcome: LocalOutcome): void {
    this.#pending.delete(claim.id);
    this.#forget(claim);
    this.#port.giveUp(claim);
    claim.done(outcome, outcome === 'unvoted' ? Array.from(claim.missing, ({ node }) => node) : []);
  }

  #forget(claim: OwnClaim): void {
    const ofActor = this.#byActor.get(claim.pid.local);
    ofActor?.delete(claim);
    if (ofActor?.size === 0) this.#byActor.delete(claim.pid.local);
  }
}
