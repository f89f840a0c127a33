import type { Runtime } from '../actor/index.ts';
import type { Acknowledgements } from './acknowledgements.ts';
import type { Ballots } from './ballots.ts';
import type { CatchUp } from './catch-up.ts';
import type { LamportClock } from './lamport-clock.ts';
import type { Member, OwnNode } from './member.ts';
import type { Members } from './members.ts';
import type { Message } from './messages.ts';
import type { NameTable } from './name-table.ts';
import type { RollCall } from './roll-call.ts';
import type { ConflictOptions, SameNames } from './same-names.ts';

export interface ServiceOptions extends ConflictOptions {
  readonly maxNames: number;
}

/** What the two sides of the service - this node's wishes and those of its peers - have in common. */
export interface Parts {
  readonly runtime: Runtime;
  readonly options: ServiceOptions;
  readonly own: OwnNode;
  readonly table: NameTable;
  readonly clock: LamportClock;
  readonly members: Members;
  readonly ballots: Ballots;
  readonly acknowledgements: Acknowledgements;
  readonly sameNames: SameNames;
  readonly rollCall: RollCall;
  readonly catchUp: CatchUp;
  send(member: Member, message: Message): void;
  tellAll(message: Message): void;
}
