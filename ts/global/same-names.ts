// Two entries of one name: one that takes the other's place by a switch (Q4), or two that each side of a split made and
// that meet when it heals (Q7). Of the latter the owner of the better one decides, and tells the owner of the other.
import type { Runtime } from '../actor/index.ts';
import { type ConflictResolver, type Contender, NameConflict } from './conflict.ts';
import type { Member, OwnNode } from './member.ts';
import type { Message } from './messages.ts';
import { beats, type Entry, type NameTable } from './name-table.ts';

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
  tellAll(message: Message): void;
}

export class SameNames {
  readonly #own: OwnNode;
  readonly #port: SameNamesPort;

  constructor(own: OwnNode, port: SameNamesPort) {
    this.#own = own;
    this.#port = port;
  }

  /** Puts an entry into the table and sees to others of that name. `switched`: the claim that takes it from them. */
  show(entry: Entry, switched: number | undefined): void {
    const { table } = this.#port;
    table.put(entry);
    for (const rival of table.rivals(entry)) {
      if (switched !== undefined && rival.stamp < entry.stamp) {
        table.remove(rival);
        if (rival.owner === this.#own) this.#retire(rival, entry.owner as Member, switched);
        continue;
      }
      const [better, other] = beats(entry, rival) ? [entry, rival] : [rival, entry];
      if (better.owner === this.#own) this.#settle(better, other);
    }
  }

  /** All peers of the new owner know of a switch: who does not see that one is told now. */
  settled(heir: Member, claim: number): void {
    const entry = heir.switched.get(claim);
    if (entry === undefined) return;
    heir.switched.delete(claim);
    this.#port.tellAll(['drop', 0, entry.name, entry.stamp]);
  }

  /** Only who has an entry of the same name may say that ours has lost to it. */
  lost(
    member: Member,
    [, name, loser, stamp, winner]: Extract<Message, readonly ['lost', ...unknown[]]>,
  ): void {
    const own = this.#own.names.get(name);
    const other = member.names.get(name);
    if (own?.stamp !== stamp || !own.pid.equals(loser) || other === undefined) return;
    if (winner === null || other.pid.equals(winner)) this.#lose(own, winner === null ? undefined : other);
  }

  /**
   * Our actor's name was given to another one. Peers hear that from the new owner; only when all have does this node take its
   * entry back, lest they see the name free meanwhile.
   */
  #retire(entry: Entry, heir: Member, claim: number): void {
    this.#port.forget(entry);
    heir.switched.set(claim, entry);
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
