// The voter's side of a claim. A node votes for one claim to a name at a time; the other claims wait until that
// one is over. Claims that reach the nodes in different orders could deadlock, so the voter asks for its vote back when an
// earlier claim arrives, and the claimant returns it unless the claim is decided (Maekawa's algorithm).
import { type Claim, type Claimant, ClaimQueue, isBefore } from './claim-queue.ts';
import { MAX_VOTE_ROUNDS } from './limits.ts';
import type { Verdict } from './messages.ts';

const MAX_HELD_ROUNDS = 2 * MAX_VOTE_ROUNDS;

export interface BallotsPort {
  isTaken(name: string): boolean;
  vote(claim: Claim, verdict: Verdict): void;
  /** Asks the claimant to return the vote. */
  inquire(claim: Claim): void;
  /** A claim, or one node's claims that others wait for, have held the vote for longer than a claim may wait for votes. */
  overdue(claim: Claim): void;
}

/** The vote of this node for one name. */
interface Ballot {
  voted: Claim;
  isInquired: boolean;
  /** Rounds for which the claim has held the vote, and for which claims of its node have while another node waited. */
  rounds: number;
  nodeRounds: number;
  /** Waiting claims that are refused when the name is taken. */
  readonly registering: ClaimQueue;
  /** Waiting claims that replace the actor that has the name. */
  readonly replacing: ClaimQueue;
}

export class Ballots {
  readonly #ballots = new Map<string, Ballot>();
  readonly #port: BallotsPort;

  constructor(port: BallotsPort) {
    this.#port = port;
  }

  /** Names with a claim that is not over. */
  get size(): number {
    return this.#ballots.size;
  }

  /** The node whose claim has the vote for a name. */
  holder(name: string): string | undefined {
    return this.#ballots.get(name)?.voted.claimant.node;
  }

  /** Votes at once, or when the earlier claims are over. A claim with a number that is in use is ignored. O(log claims). */
  claim(claim: Claim): void {
    const { claimant, id, name } = claim;
    if (claimant.claims.has(id)) return;
    if (!claim.replaces && this.#port.isTaken(name)) return this.#port.vote(claim, 'taken');
    claimant.claims.set(id, claim);
    const ballot = this.#ballots.get(name);
    if (ballot === undefined) {
      const [registering, replacing] = [new ClaimQueue(), new ClaimQueue()];
      const voted = { voted: claim, isInquired: false, rounds: 0, nodeRounds: 0 };
      this.#ballots.set(name, { ...voted, registering, replacing });
      return this.#port.vote(claim, 'yes');
    }
    queueOf(ballot, claim).push(claim);
    if (ballot.isInquired || !isBefore(claim, ballot.voted)) return;
    ballot.isInquired = true;
    this.#port.inquire(ballot.voted);
  }

  /** A claim returns its vote and waits for another one. */
  yield(claimant: Claimant, id: number): void {
    const claim = claimant.claims.get(id);
    const ballot = claim && this.#ballots.get(claim.name);
    if (claim === undefined || ballot?.voted !== claim) return;
    queueOf(ballot, claim).push(claim);
    this.#next(claim.name, ballot);
  }

  /** A claim is over: its name is in the table now, or it was given up. O(log claims), and O(1) for each that is refused. */
  end(claimant: Claimant, id: number): void {
    const claim = claimant.claims.get(id);
    if (claim === undefined) return;
    claimant.claims.delete(id);
    const ballot = this.#ballots.get(claim.name) as Ballot; // it lasts as long as a claim has it or waits for it
    if (ballot.voted === claim) this.#next(claim.name, ballot);
    else queueOf(ballot, claim).remove(claim);
  }

  /** A node does not answer: its claims end, so that no other claim waits for them. It gets the vote `late` and may claim again. */
  late(claimant: Claimant): void {
    const claims = [...claimant.claims.values()];
    this.gone(claimant);
    for (const claim of claims) this.#port.vote(claim, 'late');
  }

  /** A round of pings is over. O(claims). */
  round(): void {
    const overdue: Claim[] = [];
    for (const ballot of this.#ballots.values()) {
      const isHeld = ++ballot.rounds > MAX_HELD_ROUNDS;
      const isKept = othersWait(ballot) && ++ballot.nodeRounds > MAX_HELD_ROUNDS;
      if (isHeld || isKept) overdue.push(ballot.voted);
    }
    for (const claim of overdue) this.#port.overdue(claim);
  }

  /** Ends all claims of a node. */
  gone(claimant: Claimant): void {
    const claims = [...claimant.claims.values()];
    // End the waiting claims first: otherwise one of them would get the vote that another one frees.
    for (const claim of claims)
      if (this.#ballots.get(claim.name)?.voted !== claim) this.end(claimant, claim.id);
    for (const { id } of claims) this.end(claimant, id);
  }

  /** Votes for the earliest claim that waits. */
  #next(name: string, ballot: Ballot): void {
    const { registering, replacing } = ballot;
    if (this.#port.isTaken(name)) this.#refuse(registering);
    const [one, other] = [registering.first, replacing.first];
    const earliest =
      one !== undefined && other !== undefined && isBefore(other, one) ? other : (one ?? other);
    if (earliest === undefined) return void this.#ballots.delete(name);
    queueOf(ballot, earliest).remove(earliest);
    // The next claim may be of the same node, or the same one that yielded: others wait on.
    if (earliest.claimant !== ballot.voted.claimant) ballot.nodeRounds = 0;
    ballot.voted = earliest;
    ballot.isInquired = false;
    ballot.rounds = 0;
    this.#port.vote(earliest, 'yes');
  }

  #refuse(waiting: ClaimQueue): void {
    for (let claim = waiting.first; claim !== undefined; claim = waiting.first) {
      waiting.remove(claim);
      claim.claimant.claims.delete(claim.id);
      this.#port.vote(claim, 'taken');
    }
  }
}

/** Whether another node than the one that has the vote waits for it. O(claims). */
const othersWait = ({ voted: { claimant }, registering, replacing }: Ballot): boolean =>
  registering.hasOther(claimant) || replacing.hasOther(claimant);

const queueOf = ({ registering, replacing }: Ballot, claim: Claim): ClaimQueue =>
  claim.replaces ? replacing : registering;
