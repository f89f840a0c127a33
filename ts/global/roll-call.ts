// Which members answer. A process that is frozen, or an event loop that is blocked, keeps its session for tens of seconds;
// registrations do not wait so long. While anything waits for members, each silent one is sent a ping once a second. A member
// without a sign of life for five rounds is quiet: no node waits for it until it says something. It is still told all that
// happens, and keeps its names.
//
// Time is counted in rounds, not read from a clock: a node that was blocked itself has missed rounds, and reads what came
// meanwhile before its next one.
//
// A session keeps order, so what a member owes - acknowledgements, its names - comes before its answer to a later ping. A
// member that answers the ping and still owes has broken the protocol; its session is ended.
import type { Alarm, Clock } from '../timers/index.ts';
import { ANSWER_MS, MAX_UNANSWERED_PINGS } from './limits.ts';
import type { Member } from './member.ts';

const ROUNDS = 5;
const ROUND_MS = ANSWER_MS / ROUNDS;
/** Others call this node quiet after four rounds at least: long before that it notices that it missed some. */
const MISSED_MS = 2 * ROUND_MS;

export interface RollCallPort {
  readonly clock: Clock;
  members(): Iterable<Member>;
  /** Whether anything waits for members, here or at one of them. */
  isWaiting(): boolean;
  ping(member: Member, number: number): void;
  /** A round is over. */
  round(): void;
  /** It does not answer. */
  quiet(member: Member): void;
  /** It was quiet, and answers again. */
  back(member: Member): void;
  /** This node was blocked for so long that others may have called it quiet. */
  missedRounds(): void;
  /** It broke the protocol: ends its session. */
  endSession(member: Member, why: string): void;
}

export class RollCall {
  readonly #port: RollCallPort;
  #alarm: Alarm | undefined;
  #lastRound = 0;

  constructor(port: RollCallPort) {
    this.#port = port;
  }

  /** Something waits for members from now on. */
  begin(): void {
    if (this.#alarm !== undefined) return;
    this.#lastRound = this.#port.clock.now();
    this.#arm();
  }

  /** To be called before anything of a peer is handled: reports that this node was blocked, if it was. */
  checkMissed(): void {
    if (this.#alarm === undefined) return;
    const now = this.#port.clock.now();
    if (now - this.#lastRound <= MISSED_MS) return;
    this.#lastRound = now;
    this.#port.missedRounds();
  }

  heard(member: Member): void {
    member.silentRounds = 0;
    if (!member.isQuiet) return;
    member.isQuiet = false;
    this.#port.back(member);
  }

  /** An answer to a ping. False: to none that was sent. */
  pong(member: Member, number: number): boolean {
    if (number > member.pings) return false;
    member.pongs = Math.max(member.pongs, number);
    const [oldest = Number.POSITIVE_INFINITY] = member.unacknowledged.values();
    if (oldest < number) this.#port.endSession(member, 'it did not acknowledge what it was told');
    else if (!member.isKnown && member.pingsBeforeSync < number)
      this.#port.endSession(member, 'it did not tell its names');
    return true;
  }

  close(): void {
    this.#alarm?.cancel();
    this.#alarm = undefined;
  }

  #arm(): void {
    this.#alarm = this.#port.clock.arm(ROUND_MS, () => this.#round(), false);
  }

  #round(): void {
    this.checkMissed();
    this.#lastRound = this.#port.clock.now();
    for (const member of [...this.#port.members()]) this.#call(member);
    this.#port.round();
    this.#alarm = undefined;
    if (this.#port.isWaiting()) this.begin();
  }

  #call(member: Member): void {
    if (member.isQuiet) return;
    if (member.silentRounds === 0) {
      if (member.pings - member.pongs >= MAX_UNANSWERED_PINGS)
        return this.#port.endSession(member, 'it did not answer pings');
      this.#port.ping(member, ++member.pings);
    }
    if (member.silentRounds++ < ROUNDS - 1) return;
    member.isQuiet = true;
    this.#port.quiet(member);
  }
}
