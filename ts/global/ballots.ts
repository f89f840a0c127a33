// The voter's side of a claim. A node gives its vote for a name to one claim at a time; the others wait until that one
// is over. Claims that ask the nodes in different order could wait for each other for ever, so a vote is asked back
// when a better claim comes, and is given back unless its claim is decided (as in Maekawa's algorithm).

/** Who claims: this node, or a peer. */
export interface Claimant {
  readonly node: string;
  /** The claims of it that wait or have the vote here. */
  readonly claims: Map<number, Claim>;
}

/** One wish for a name. */
export interface Claim {
  readonly claimant: Claimant;
  readonly id: number;
  readonly name: string;
  readonly stamp: number;
  /** Takes the name from whoever has it. */
  readonly replaces: boolean;
}

export type Verdict = 'yes' | 'taken' | 'late';

export interface BallotsPort {
  isTaken(name: string): boolean;
  vote(claim: Claim, verdict: Verdict): void;
  /** Asks for the vote back. */
  inquire(claim: Claim): void;
}

interface Ballot {
  voted: Claim;
  isInquired: boolean;
  readonly waiting: Claim[];
}

/** The earlier claim goes first; node names and numbers make the order total. */
function isBefore(a: Claim, b: Claim): boolean {
  if (a.stamp !== b.stamp) return a.stamp < b.stamp;
  if (a.claimant !== b.claimant) return a.claimant.node < b.claimant.node;
  return a.id < b.id;
}

export class Ballots {
  readonly #ballots = new Map<string, Ballot>();
  readonly #port: BallotsPort;

  constructor(port: BallotsPort) {
    this.#port = port;
  }

  /** Names that are voted on now. */
  get size(): number {
    return this.#ballots.size;
  }

  /** Votes at once, or when the claims before are over. A number that is in use already is ignored. */
  claim(claim: Claim): void {
    const { claimant, id, name } = claim;
    if (claimant.claims.has(id)) return;
    if (!claim.replaces && this.#port.isTaken(name)) return this.#port.vote(claim, 'taken');
    claimant.claims.set(id, claim);
    const ballot = this.#ballots.get(name);
    if (ballot === undefined) {
      this.#ballots.set(name, { voted: claim, isInquired: false, waiting: [] });
      return this.#port.vote(claim, 'yes');
    }
    ballot.waiting.push(claim);
    if (ballot.isInquired || !isBefore(claim, ballot.voted)) return;
    ballot.isInquired = true;
    this.#port.inquire(ballot.voted);
  }

  /** A claim gives its vote back, and waits for another one. */
  yield(claimant: Claimant, id: number): void {
    const claim = claimant.claims.get(id);
    const ballot = claim && this.#ballots.get(claim.name);
    if (claim === undefined || ballot?.voted !== claim) return;
    ballot.waiting.push(claim);
    this.#next(claim.name, ballot);
  }

  /** A claim is over: its name is in the table now, or it was given up. */
  end(claimant: Claimant, id: number): void {
    const claim = claimant.claims.get(id);
    if (claim === undefined) return;
    claimant.claims.delete(id);
    const ballot = this.#ballots.get(claim.name);
    if (ballot === undefined) return;
    if (ballot.voted === claim) return this.#next(claim.name, ballot);
    const at = ballot.waiting.indexOf(claim);
    if (at >= 0) ballot.waiting.splice(at, 1);
  }

  /** A node does not answer: its claims hold nobody up. It hears that, and may claim anew. */
  late(claimant: Claimant): void {
    const claims = [...claimant.claims.values()];
    this.gone(claimant);
    for (const claim of claims) this.#port.vote(claim, 'late');
  }

  /** All claims of a node that was lost are over. */
  gone(claimant: Claimant): void {
    const claims = [...claimant.claims.values()];
    // Those that wait go first: none of them is to get the vote that another one leaves.
    for (const claim of claims)
      if (this.#ballots.get(claim.name)?.voted !== claim) this.end(claimant, claim.id);
    for (const { id } of claims) this.end(claimant, id);
  }

  /** Votes for the best of those that wait. */
  #next(name: string, ballot: Ballot): void {
    const { waiting } = ballot;
    if (this.#port.isTaken(name)) this.#refuse(waiting);
    let best = waiting[0];
    if (best === undefined) return void this.#ballots.delete(name);
    for (const claim of waiting) if (isBefore(claim, best)) best = claim;
    waiting.splice(waiting.indexOf(best), 1);
    ballot.voted = best;
    ballot.isInquired = false;
    this.#port.vote(best, 'yes');
  }

  #refuse(waiting: Claim[]): void {
    const refused = waiting.filter((claim) => !claim.replaces);
    const kept = waiting.filter((claim) => claim.replaces);
    waiting.splice(0, waiting.length, ...kept);
    for (const claim of refused) {
      claim.claimant.claims.delete(claim.id);
      this.#port.vote(claim, 'taken');
    }
  }
}
