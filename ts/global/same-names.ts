// Two entries of one name: one that takes the other's place by a switch (Q4), or two that each side of a split made and
// that meet when it heals (Q7). Of the latter the owner of the better one decides, and tells the owner of the other.
import type { Runtime } from '../actor/index.ts';
import { type ConflictResolver, type Contender, NameConflict } from './conflict.ts';
import type { Member, OwnNode } from './member.ts';
import type { Message } from './messages.ts';
import { beats, type Entry, type NameTable, replaces } from './name-table.ts';

export interface ConflictOptions {
  readonly resolve: ConflictResolver | undefined;
  readonly killsLoser: boolean;
}

export interface SameNamesPort {
  readonly table: NameTable;
  readonly runtime: Runtime;
  readonly options: ConflictOptions;
  /** Removes a name of this node everywhere. */
  drop(entry: Entry): void;
  /** The actor has that name no more. */
  forget(entry: Entry): void;
  send(member: Member, message: Message): void;
}

export class SameNames {
  readonly #own: OwnNode;
  readonly #port: SameNamesPort;

  constructor(own: OwnNode, port: SameNamesPort) {
    this.#own = own;
    this.#port = port;
  }

  /**
   * Puts an entry into the table, and settles it with the other entries of that name.
   *
   * @param claim the number of the claim when the entry comes from a switch that has just been decided.
   */
  show(entry: Entry, claim: number | undefined): void {
    const { table } = this.#port;
    table.put(entry);
    for (const rival of table.rivals(entry)) {
      const [better, other] = beats(entry, rival) ? [entry, rival] : [rival, entry];
      if (replaces(better, other)) {
        if (other.owner === this.#own) this.#retire(other, better.owner as Member, claim);
      } else if (better.owner === this.#own) this.#settle(better, other);
    }
  }

  /** An owner has removed its entry: what that replaced need not wait, and nobody has to remember it any more. */
  dropped(entry: Entry, owner: Member): void {
    const { table } = this.#port;
    table.remove(entry);
    for (const rival of table.rivals(entry))
      if (replaces(rival, entry))
        rival.replaced = rival.replaced.filter(
          ([pid, stamp]) => stamp !== entry.stamp || !pid.equals(entry.pid),
        );
    const waiting = owner.switched.get(entry.name);
    if (waiting !== undefined) this.#remove(owner, waiting.entry);
  }

  /** All peers of the new owner know of a switch: the entry that it replaced is removed everywhere. */
  settled(heir: Member, claim: number): void {
    for (const waiting of [...heir.switched.values()])
      if (waiting.claim === claim) this.#remove(heir, waiting.entry);
  }

  /** The new owner is gone: whoever knows of its switch has forgotten it, or will. */
  heirLost(heir: Member): void {
    for (const { entry } of [...heir.switched.values()]) this.#remove(heir, entry);
  }

  /** Only a node that has an entry of the same name may say that ours has lost to it. */
  lost(
    member: Member,
    [, name, loser, stamp, winner]: Extract<Message, readonly ['lost', ...unknown[]]>,
  ): void {
    const own = this.#own.names.get(name);
    const other = member.names.get(name);
    if (own?.stamp !== stamp || !own.pid.equals(loser) || other === undefined) return;
    if (winner !== null && !other.pid.equals(winner)) return;
    // A switch has taken the name from that actor: it is not told (Q4), whoever has the name now.
    if (this.#port.table.rivals(own).some((rival) => replaces(rival, own))) this.#port.drop(own);
    else this.#lose(own, winner === null ? undefined : other);
  }

  /**
   * A switch has given the name of our actor to another one. Peers hear that from the new owner; only when all have, this node
   * removes its entry, lest they see the name free meanwhile. A switch of before (no claim) is known to all by now.
   */
  #retire(entry: Entry, heir: Member, claim: number | undefined): void {
    if (claim === undefined) return this.#port.drop(entry);
    this.#port.forget(entry);
    heir.switched.set(entry.name, { claim, entry });
  }

  #remove(heir: Member, entry: Entry): void {
    heir.switched.delete(entry.name);
    // The name may belong to another actor of this node by now.
    if (this.#own.names.get(entry.name) === entry) this.#port.drop(entry);
  }

  #settle(own: Entry, other: Entry): void {
    const kept = this.#resolve(own, other);
    if (kept !== other) {
      const winner = kept?.pid ?? null;
      this.#port.send(other.owner as Member, ['lost', own.name, other.pid, other.stamp, winner]);
    }
    if (kept !== own) this.#lose(own, kept);
  }

  #resolve(own: Entry, other: Entry): Entry | undefined {
    const { options, runtime } = this.#port;
    const { resolve } = options;
    if (resolve === undefined) return own;
    let chosen: unknown;
    runtime.guard(() => (chosen = resolve(own.name, contender(own), contender(other))));
    return [own, other].find(({ pid }) => pid.equals(chosen));
  }

  #lose(own: Entry, winner: Entry | undefined): void {
    const { name, pid } = own;
    const { options, runtime } = this.#port;
    const facts = { event: 'global_name_conflict', name, loser: String(pid), node: winner?.owner.node };
    runtime.logger.warn(facts, 'an actor lost its global name to one on the other side of a split');
    this.#port.drop(own);
    if (winner !== undefined && options.killsLoser) runtime.sendExit(pid, 'kill');
    else runtime.deliverSystem(pid, new NameConflict(name, winner?.pid));
  }
}

const contender = ({ pid, owner }: Entry): Contender => ({ pid, node: owner.node });
