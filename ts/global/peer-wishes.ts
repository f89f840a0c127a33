// What peers want and tell: their claims, their names, and requests for actors of this node.
import { MAX_CLAIMS_PER_NODE, SYNC_PART } from './limits.ts';
import type { Member } from './member.ts';
import type { Message, SyncEntry } from './messages.ts';
import type { Done, OwnWishes } from './own-wishes.ts';
import type { Parts } from './parts.ts';

type Of<Kind extends Message[0]> = Message & { readonly 0: Kind };

export class PeerWishes {
  readonly #parts: Parts;
  readonly #own: OwnWishes;
  /** Something a peer sent was nonsense. */
  readonly #suspect: (member: Member, what: string) => void;

  constructor(parts: Parts, own: OwnWishes, suspect: (member: Member, what: string) => void) {
    this.#parts = parts;
    this.#own = own;
    this.#suspect = suspect;
  }

  claimed(claimant: Member, [, id, name, stamp, replaces]: Of<'claim'>): void {
    const { clock, options, ballots, rollCall } = this.#parts;
    clock.see(stamp);
    rollCall.begin();
    const isFull = claimant.names.size + claimant.claims.size >= options.maxNames;
    if (isFull || claimant.claims.size >= MAX_CLAIMS_PER_NODE)
      this.#parts.send(claimant, ['vote', id, 'full', clock.now, []]);
    else ballots.claim({ claimant, id, name, stamp, replaces });
  }

  committed(owner: Member, [, id, name, pid, stamp, replaced]: Of<'commit'>): void {
    this.#learn(owner, [name, pid, stamp, replaced ?? []], replaced === null ? undefined : id);
    this.#parts.ballots.end(owner, id);
    this.#parts.send(owner, ['ack', id]);
  }

  synced(owner: Member, [, entries]: Of<'sync'>): void {
    this.#parts.members.join(owner);
    for (const entry of entries) this.#learn(owner, entry, undefined);
    if (entries.length === SYNC_PART) return;
    owner.isKnown = true;
    this.#parts.catchUp.over(owner);
  }

  dropped(owner: Member, [, id, name, stamp]: Of<'drop'>): void {
    const entry = owner.names.get(name);
    if (entry?.stamp === stamp) this.#parts.sameNames.dropped(entry, owner);
    if (id !== 0) this.#parts.send(owner, ['ack', id]);
  }

  asked(member: Member, [, id, wish, name, pid]: Of<'ask'>): void {
    const answer: Done = (outcome) => {
      member.asked--;
      if (member.standing === 'member') this.#parts.send(member, ['answer', id, outcome]);
    };
    member.asked++;
    if (member.asked > MAX_CLAIMS_PER_NODE) return answer('full');
    if (pid.nc !== 0) return answer('gone');
    if (wish !== 'unregister') return this.#own.register(wish, name, pid, answer);
    const entry = this.#parts.own.names.get(name);
    if (entry?.pid.equals(pid)) this.#own.drop(entry, () => answer('yes'));
    else answer('gone');
  }

  /** A peer tells a name of an actor of its own: nobody else may (T12). */
  #learn(owner: Member, [name, pid, stamp, replaced]: SyncEntry, claim: number | undefined): void {
    const { clock, options, sameNames } = this.#parts;
    clock.see(stamp);
    if (pid.nc !== owner.peer.nc) return this.#suspect(owner, 'a name of an actor of another node');
    if (owner.names.size >= options.maxNames && !owner.names.has(name))
      return this.#suspect(owner, 'more names than a node may have');
    sameNames.show({ name, pid, stamp, owner, replaced }, claim);
  }
}
