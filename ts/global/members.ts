// Tracks which peers have global names. A node greets each peer that comes up, and answers a greeting with all its names. A service
// that starts later, or again, greets the peers that are connected, so no peer is missed (Q5).

import type { ChannelPeer } from '../node/index.ts';
import type { Work } from '../peer/index.ts';
import type { Alarm, Clock } from '../timers/index.ts';
import { HELLO_MS, MAX_SYNCS, PART } from './limits.ts';
import { Member, type OwnNode } from './member.ts';
import { type Message, type SyncEntry, VERSION } from './messages.ts';
import type { Entry } from './name-table.ts';

const HELLO_ROUNDS = 5;

export interface MembersPort {
  readonly clock: Clock;
  send(member: Member, message: Message): void;
  /** Sends all names to a member, in steps. What is sent to it from now on follows them. */
  sendNames(member: Member, names: Work): void;
  /** Sends a part of the names. */
  sendPart(member: Member, message: Message): void;
  /** A peer has become a member, and is sent all names. */
  joined(member: Member): void;
  /** A peer is not a member any more, or did not become one in time. */
  left(member: Member): void;
  /** Ends the session of a peer that broke the protocol. */
  endSession(member: Member, why: string): void;
}

export class Members {
  readonly #own: OwnNode;
  readonly #port: MembersPort;
  readonly #byNode = new Map<string, Member>();
  readonly #alarms = new Map<Member, Alarm>();

  constructor(own: OwnNode, port: MembersPort) {
    this.#own = own;
    this.#port = port;
  }

  /** The members. */
  *here(): IterableIterator<Member> {
    for (const member of this.#byNode.values()) if (member.standing === 'member') yield member;
  }

  /** The members that answer. */
  *answering(): IterableIterator<Member> {
    for (const member of this.here()) if (!member.isQuiet) yield member;
  }

  /** Peers that have to vote: members that answer, and peers that may become members. */
  *awaited(): IterableIterator<Member> {
    for (const member of this.#byNode.values())
      if (member.standing !== 'absent' && !member.isQuiet) yield member;
  }

  /** Peers that answer and have not sent all their names yet, or have not greeted. */
  *unknown(): IterableIterator<Member> {
    for (const member of this.awaited()) if (!member.isKnown) yield member;
  }

  of(peer: ChannelPeer): Member | undefined {
    const member = this.#byNode.get(peer.node);
    return member?.peer === peer ? member : undefined;
  }

  /** The node of a PID. O(nodes). */
  byNumber(nc: number): Member | undefined {
    for (const member of this.#byNode.values()) if (member.peer.nc === nc) return member;
    return undefined;
  }

  tellAll(message: Message): void {
    for (const member of this.here()) this.#port.send(member, message);
  }

  /** A peer has connected. Hidden ones are ignored (L2). */
  up(peer: ChannelPeer): void {
    if (peer.hidden) return;
    const member = new Member(peer);
    this.#byNode.set(peer.node, member);
    this.#expect(member, HELLO_ROUNDS);
  }

  greet(member: Member): void {
    this.#port.send(member, ['hello', VERSION]);
  }

  greetAll(): void {
    for (const member of this.#byNode.values()) this.greet(member);
  }

  down(peer: ChannelPeer): void {
    const member = this.of(peer);
    if (member === undefined) return;
    this.#byNode.delete(peer.node);
    this.#leave(member, 'absent');
  }

  /** A peer greets: for the first time, or because it has started global names again. */
  hello(member: Member): void {
    if (member.standing === 'member') this.#leave(member, 'expected');
    this.join(member);
  }

  bye(member: Member): void {
    this.#leave(member, 'absent');
  }

  /** Makes a peer a member, and sends it all names of this node. O(names), at most MAX_SYNCS times in one session. */
  join(member: Member): void {
    if (member.standing === 'member') return;
    if (++member.syncs > MAX_SYNCS)
      return this.#port.endSession(
        member,
        `it started global names more than ${MAX_SYNCS} times in one session`,
      );
    member.standing = 'member';
    member.pingsBeforeSync = member.pings;
    this.#cancelAlarm(member);
    this.#port.sendNames(member, this.#names(member, [...this.#own.names.values()]));
    this.#port.joined(member);
  }

  close(): void {
    this.tellAll(['bye']);
    for (const alarm of this.#alarms.values()) alarm.cancel();
    this.#alarms.clear();
  }

  /** Leaves out an entry that was replaced or removed when its turn comes: the messages about that follow. */
  *#names(member: Member, entries: readonly Entry[]): Generator<number, void> {
    let part: SyncEntry[] = [];
    for (const entry of entries) {
      const { name, pid, stamp, replaced } = entry;
      if (this.#own.names.get(name) === entry) part.push([name, pid, stamp, replaced]);
      if (part.length < PART) continue;
      this.#port.sendPart(member, ['sync', part]);
      part = [];
      // It is silent, but what it is asked has not been sent yet.
      member.silentRounds = Math.min(member.silentRounds, 1);
      yield PART;
    }
    this.#port.sendPart(member, ['sync', part]);
  }

  /** Waits in rounds: after a block of this node, messages that arrived meanwhile are handled before the time is up. */
  #expect(member: Member, rounds: number): void {
    if (rounds === 0) return this.#leave(member, 'absent');
    const next = (): void => this.#expect(member, rounds - 1);
    this.#alarms.set(member, this.#port.clock.arm(HELLO_MS / HELLO_ROUNDS, next, false));
  }

  #leave(member: Member, standing: 'expected' | 'absent'): void {
    member.standing = standing;
    member.isKnown = false;
    member.unacknowledged.clear();
    this.#cancelAlarm(member);
    this.#port.left(member);
  }

  #cancelAlarm(member: Member): void {
    this.#alarms.get(member)?.cancel();
    this.#alarms.delete(member);
  }
}
