// Handles the messages of peers: their claims, their names, and their requests about actors of this node.
import type { Ballots } from './ballots.ts';
import type { Duplicates } from './duplicates.ts';
import type { LamportClock } from './lamport-clock.ts';
import { MAX_CLAIMS_PER_NODE, PART } from './limits.ts';
import type { Liveness } from './liveness.ts';
import type { Done, LocalRequests } from './local-requests.ts';
import type { Member, OwnNode } from './member.ts';
import type { MemberWaits } from './member-waits.ts';
import type { Members } from './members.ts';
import type { Message, SyncEntry } from './messages.ts';
import { type NameTable, toReplace } from './name-table.ts';
import type { OwnEntries } from './own-entries.ts';

type Of<Kind extends Message[0]> = Message & { readonly 0: Kind };

export interface PeerRequestsParts {
  readonly maxNames: number;
  readonly own: OwnNode;
  readonly table: NameTable;
  readonly clock: LamportClock;
  readonly members: Members;
  readonly ballots: Ballots;
  readonly entries: OwnEntries;
  readonly duplicates: Duplicates;
  readonly local: LocalRequests;
  readonly catchUps: MemberWaits;
  readonly liveness: Liveness;
  readonly send: (member: Member, message: Message) => void;
  /** Reports a malformed message. */
  readonly suspect: (member: Member, what: string) => void;
  /** Ends the session of a peer that sent an implausible stamp. */
  readonly endSession: (member: Member, why: string) => void;
}

export class PeerRequests {
  readonly #parts: PeerRequestsParts;

  constructor(parts: PeerRequestsParts) {
    this.#parts = parts;
  }

  claimed(claimant: Member, [, id, name, stamp, replaces]: Of<'claim'>): void {
    const { maxNames, clock, ballots, liveness } = this.#parts;
    if (!this.#sees(claimant, stamp)) return;
    liveness.begin();
    const isFull = claimant.names.size + claimant.claims.size >= maxNames;
    if (isFull || claimant.claims.size >= MAX_CLAIMS_PER_NODE)
      this.#parts.send(claimant, ['vote', id, 'full', clock.now, []]);
    else ballots.claim({ claimant, id, name, stamp, replaces });
  }

  voted(voter: Member, [, id, verdict, stamp, known]: Of<'vote'>): void {
    if (this.#sees(voter, stamp)) this.#parts.local.claims.voted(voter, id, verdict, known);
  }

  committed(owner: Member, [, id, name, pid, stamp, replaced]: Of<'commit'>): void {
    if (!this.#sees(owner, stamp)) return;
    this.#learn(owner, [name, pid, stamp, replaced ?? []], id);
    this.#parts.ballots.end(owner, id);
    this.#parts.send(owner, ['ack', id]);
  }

  synced(owner: Member, [, entries]: Of<'sync'>): void {
    this.#parts.members.join(owner);
    if (owner.standing !== 'member') return; // its session was ended
    for (const entry of entries) {
      if (!this.#sees(owner, entry[2])) return;
      this.#learn(owner, entry, undefined);
    }
    if (entries.length === PART || owner.isKnown) return;
    owner.isKnown = true;
    this.#parts.catchUps.release(owner);
  }

  dropped(owner: Member, [, id, name, stamp]: Of<'drop'>): void {
    const entry = owner.names.get(name);
    if (entry?.stamp === stamp) this.#parts.duplicates.dropped(entry, owner);
    if (id !== 0) this.#parts.send(owner, ['ack', id]);
  }

  asked(member: Member, [, id, request, name, pid]: Of<'ask'>): void {
    const { own, table, local, entries } = this.#parts;
    const answer: Done = (outcome) => {
      member.asked--;
      // A peer that has closed its names, or whose session has ended, waits for no answer.
      if (outcome === 'closed' || member.standing !== 'member') return;
      const known = outcome === 'taken' ? toReplace(table.of(name)) : [];
      this.#parts.send(member, ['answer', id, outcome, known]);
    };
    member.asked++;
    if (member.asked > MAX_CLAIMS_PER_NODE) return answer('full');
    if (pid.nc !== 0) return answer('gone');
    if (request !== 'unregister') return local.register(request, name, pid, answer, member);
    const entry = own.names.get(name);
    if (entry?.pid.equals(pid)) entries.drop(entry, () => answer('yes'));
    else answer('gone');
  }

  /**
   * Adds a name that a peer has sent. It must be a name of an actor of that peer (T12). All its names remember no more entries that they
   * replaced than it may have names.
   */
  #learn(owner: Member, [name, pid, stamp, replaced]: SyncEntry, claim: number | undefined): void {
    const { maxNames, duplicates, suspect } = this.#parts;
    if (pid.nc !== owner.peer.nc) return suspect(owner, 'a name of an actor of another node');
    if (owner.names.size >= maxNames && !owner.names.has(name))
      return suspect(owner, `more than ${maxNames} names (maxNamesPerNode)`);
    const room = maxNames - owner.remembered + (owner.names.get(name)?.replaced.length ?? 0);
    duplicates.show({ name, pid, stamp, owner, replaced: replaced.slice(0, Math.max(0, room)) }, claim);
  }

  #sees(member: Member, stamp: number): boolean {
    if (this.#parts.clock.see(stamp)) return true;
    this.#parts.endSession(member, `its clock of registrations is implausible: ${stamp}`);
    return false;
  }
}
