// Which peers have global names. A node greets each peer that comes up, and a greeting is answered with all names of the
// node. A service that starts later greets the peers that are there, one that starts anew greets them again, so no peer is
// missed (Q5).

import type { ChannelPeer } from '../node/index.ts';
import type { Alarm, Clock } from '../timers/index.ts';
import { HELLO_MS, MAX_TELLINGS, SYNC_PART } from './limits.ts';
import { Member, type OwnNode } from './member.ts';
import { type Message, type SyncEntry, VERSION } from './messages.ts';

const HELLO_ROUNDS = 5;

export interface MembersPort {
  readonly clock: Clock;
  send(member: Member, message: Message): void;
  /** It takes part from now on, and has been told all names. */
  joined(member: Member): void;
  /** It takes no part any more, or is known not to. */
  left(member: Member): void;
  /** It broke the protocol: ends its session. */
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

  /** Peers that take part. */
  *here(): IterableIterator<Member> {
    for (const member of this.#byNode.values()) if (member.standing === 'member') yield member;
  }

  /** Peers that take part and answer. */
  *answering(): IterableIterator<Member> {
    for (const member of this.here()) if (!member.isQuiet) yield member;
  }

  /** Peers that have to agree: those that take part and answer, or may take part. */
  *awaited(): IterableIterator<Member> {
    for (const member of this.#byNode.values())
      if (member.standing !== 'absent' && !member.isQuiet) yield member;
  }

  /** Peers that answer and have not told all their names yet, or not said whether they take part. */
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

  /** A peer connected. Hidden ones take no part (L2). */
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

  /** It greets: for the first time, or because it started anew. */
  hello(member: Member): void {
    if (member.standing === 'member') this.#leave(member, 'expected');
    this.join(member);
  }

  bye(member: Member): void {
    this.#leave(member, 'absent');
  }

  /** It takes part. Tells it all names of this node. O(names), and not often in one session. */
  join(member: Member): void {
    if (member.standing === 'member') return;
    if (++member.tellings > MAX_TELLINGS) return this.#port.endSession(member, 'it started anew too often');
    member.standing = 'member';
    member.pingsBeforeSync = member.pings;
    this.#cancelAlarm(member);
    let part: SyncEntry[] = [];
    for (const { name, pid, stamp, replaced } of this.#own.names.values()) {
      part.push([name, pid, stamp, replaced]);
      if (part.length < SYNC_PART) continue;
      this.#port.send(member, ['sync', part]);
      part = [];
    }
    this.#port.send(member, ['sync', part]);
    this.#port.joined(member);
  }

  close(): void {
    this.tellAll(['bye']);
    for (const alarm of this.#alarms.values()) alarm.cancel();
    this.#alarms.clear();
  }

  /** Waits in rounds: when this node was blocked, what came meanwhile is handled before the time is up. */
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
