// Two entries of one name. Either one replaces the other by a switch, which `reregister` makes (Q4), or the two sides of a split
// made them, and they meet when it heals (Q7): then the owner of the better one decides, and informs the owner of the other.
import type { Runtime } from '../actor/index.ts';
import { type ConflictResolver, type Contender, NameConflict } from './conflict.ts';
import type { Member, OwnNode } from './member.ts';
import type { Message } from './messages.ts';
import { beats, type Entry, type NameTable, replaces } from './name-table.ts';
import type { OwnEntries } from './own-entries.ts';

export interface ConflictOptions {
  readonly resolve: ConflictResolver | undefined;
  readonly killsLoser: boolean;
}

export interface DuplicatesParts {
  readonly runtime: Runtime;
  readonly options: ConflictOptions;
  readonly own: OwnNode;
  readonly table: NameTable;
  readonly entries: OwnEntries;
  readonly send: (member: Member, message: Message) => void;
}

export class Duplicates {
  readonly #parts: DuplicatesParts;
  /** Entries of this node that a switch of a peer replaced, until all peers know of the switch. */
  readonly #replaced = new WeakMap<Member, ReplacedBy>();

  constructor(parts: DuplicatesParts) {
    this.#parts = parts;
  }

  /**
   * Puts an entry into the table and resolves it against the other entries of that name.
   *
   * @param claim the number of the claim when the entry comes from a switch that has just been decided.
   */
  show(entry: Entry, claim: number | undefined): void {
    const { own, table } = this.#parts;
    table.put(entry);
    this.#dropUncovered(entry);
    for (const rival of table.rivals(entry)) {
      const [better, other] = beats(entry, rival) ? [entry, rival] : [rival, entry];
      if (replaces(better, other)) {
        if (other.owner === own) this.#retire(other, better.owner as Member, claim);
      } else if (better.owner === own) this.#settle(better, other);
    }
  }

  /** An owner has removed its entry: an entry that it replaced is removed too, and no other entry has to remember it. */
  dropped(entry: Entry, owner: Member): void {
    const { table } = this.#parts;
    table.remove(entry);
    table.forget(entry);
    this.#removeReplaced(this.#replaced.get(owner)?.takeName(entry.name));
  }

  /** All peers of the new owner know of a switch: the entry that it replaced is removed everywhere. */
  settled(newOwner: Member, claim: number): void {
    for (const entry of this.#replaced.get(newOwner)?.takeClaim(claim) ?? []) this.#removeReplaced(entry);
  }

  /** The new owner is lost: every node forgets its names, so the entries that it replaced are removed. */
  newOwnerLost(newOwner: Member): void {
    for (const entry of this.#replaced.get(newOwner)?.entries() ?? []) this.#removeReplaced(entry);
  }

  /** A peer reports that an entry of this node has lost. It counts only from a node with an entry of the same name. */
  lost(
    member: Member,
    [, name, loser, stamp, winner]: Extract<Message, readonly ['lost', ...unknown[]]>,
  ): void {
    const own = this.#parts.own.names.get(name);
    const other = member.names.get(name);
    if (own?.stamp !== stamp || !own.pid.equals(loser) || other === undefined) return;
    if (winner !== null && !other.pid.equals(winner)) return;
    // A switch has replaced that actor: it gets no notice (Q4), whichever actor has the name now.
    if (this.#parts.table.rivals(own).some((rival) => replaces(rival, own))) this.#parts.entries.drop(own);
    else this.#lose(own, winner === null ? undefined : other);
  }

  /**
   * A switch has given the name of an actor of this node to another one. The new owner informs the peers. This node removes its entry only
   * when all know the new one, so that no peer sees the name free meanwhile. Without a claim the switch is old, and all know it.
   */
  #retire(entry: Entry, newOwner: Member, claim: number | undefined): void {
    if (claim === undefined) return this.#parts.entries.drop(entry);
    this.#parts.entries.forget(entry);
    const replaced = this.#replaced.get(newOwner) ?? new ReplacedBy();
    this.#replaced.set(newOwner, replaced);
    replaced.add(entry, claim);
  }

  /**
   * A peer has put an entry in the place of one that replaced an entry of this node. If the new one does not replace that, it would be
   * shown again, although its actor may have ended: it is removed.
   */
  #dropUncovered(entry: Entry): void {
    const replaced = this.#replaced.get(entry.owner as Member)?.takeName(entry.name);
    if (replaced !== undefined && !(beats(entry, replaced) && replaces(entry, replaced)))
      this.#removeReplaced(replaced);
  }

  #removeReplaced(entry: Entry | undefined): void {
    // Another actor of this node may have the name by now.
    if (entry !== undefined && this.#parts.own.names.get(entry.name) === entry)
      this.#parts.entries.drop(entry);
  }

  #settle(own: Entry, other: Entry): void {
    const kept = this.#resolve(own, other);
    if (kept !== other) {
      const winner = kept?.pid ?? null;
      this.#parts.send(other.owner as Member, ['lost', own.name, other.pid, other.stamp, winner]);
    }
    if (kept !== own) this.#lose(own, kept);
  }

  #resolve(own: Entry, other: Entry): Entry | undefined {
    const { options, runtime } = this.#parts;
    const { resolve } = options;
    if (resolve === undefined) return own;
    let chosen: unknown;
    runtime.guard(() => (chosen = resolve(own.name, contender(own), contender(other))));
    return [own, other].find(({ pid }) => pid.equals(chosen));
  }

  #lose(own: Entry, winner: Entry | undefined): void {
    const { name, pid } = own;
    const { options, runtime } = this.#parts;
    const facts = { event: 'global_name_conflict', name, loser: String(pid), node: winner?.owner.node };
    runtime.logger.warn(
      facts,
      'an actor lost its global name: while their nodes were not connected, another actor got it, too',
    );
    this.#parts.entries.drop(own);
    if (winner !== undefined && options.killsLoser) runtime.sendExit(pid, 'kill');
    else runtime.deliverSystem(pid, new NameConflict(name, winner?.pid));
  }
}

const contender = ({ pid, owner }: Entry): Contender => ({ pid, node: owner.node });

/** Entries that the switches of one peer replaced. O(1) each. */
class ReplacedBy {
  readonly #claims = new Map<string, number>();
  readonly #byClaim = new Map<number, Map<string, Entry>>();

  add(entry: Entry, claim: number): void {
    this.takeName(entry.name);
    this.#claims.set(entry.name, claim);
    const entries = this.#byClaim.get(claim);
    if (entries === undefined) this.#byClaim.set(claim, new Map([[entry.name, entry]]));
    else entries.set(entry.name, entry);
  }

  *entries(): IterableIterator<Entry> {
    for (const entries of this.#byClaim.values()) yield* entries.values();
  }

  takeName(name: string): Entry | undefined {
    const claim = this.#claims.get(name);
    const entries = claim === undefined ? undefined : this.#byClaim.get(claim);
    if (claim === undefined || entries === undefined) return undefined;
    const entry = entries.get(name);
    this.#claims.delete(name);
    entries.delete(name);
    if (entries.size === 0) this.#byClaim.delete(claim);
    return entry;
  }

  takeClaim(claim: number): Iterable<Entry> {
    const entries = this.#byClaim.get(claim);
    this.#byClaim.delete(claim);
    for (const name of entries?.keys() ?? []) this.#claims.delete(name);
    return entries?.values() ?? [];
  }
}
