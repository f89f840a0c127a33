// Detects which members answer. A frozen process, or a blocked event loop, keeps its session for tens of seconds; registrations do
// not wait that long. While anything waits for members, each silent member is sent a ping once a second. A member that sends nothing for
// five rounds is quiet: this node does not wait for it until it sends something. It still gets all messages, and keeps its names.
//
// Time is counted in rounds, not read from a clock: a node that was blocked itself has missed rounds, and handles the messages that
// arrived meanwhile before its next round.
//
// A session keeps order, so acknowledgements and names that a member has to send arrive before its answer to a later ping. A
// member that answers the ping without having sent them has broken the protocol: its session is ended.
import type { Alarm, Clock } from '../timers/index.ts';
import { ANSWER_MS, MAX_UNANSWERED_PINGS } from './limits.ts';
import type { Member } from './member.ts';

const ROUNDS = 5;
const ROUND_MS = ANSWER_MS / ROUNDS;
/** Others consider this node quiet after four rounds at the earliest: it notices long before that it has missed some. */
const MISSED_MS = 2 * ROUND_MS;

export interface LivenessPort {
  readonly clock: Clock;
  members(): Iterable<Member>;
  /** Whether anything waits for members, here or at one of them. */
  isWaiting(): boolean;
  ping(member: Member, number: number): void;
  /** A round is over. */
  round(): void;
  /** A member does not answer. */
  quiet(member: Member): void;
  /** A quiet member answers again. */
  back(member: Member): void;
  /** This node was blocked for so long that others may consider it quiet. */
  missedRounds(): void;
  /** Ends the session of a member that broke the protocol. */
  endSession(member: Member, why: string): void;
}

export class Liveness {
  readonly #port: LivenessPort;
  #alarm: Alarm | undefined;
  #lastRound = 0;

  constructor(port: LivenessPort) {
    this.#port = port;
  }

  /** Starts the rounds: something waits for members. */
  begin(): void {
    if (this.#alarm !== undefined) return;
    this.#lastRound = this.#port.clock.now();
    this.#arm();
  }

  /** Call it before handling a message or event of a peer: reports if this node was blocked. */
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

  /** A member has answered a ping. Returns false for a ping that was not sent. */
  pong(member: Member, number: number): boolean {
    if (number > member.pings) return false;
    member.pongs = Math.max(member.pongs, number);
    const [oldest = Number.POSITIVE_INFINITY] = member.unacknowledged.values();
    if (oldest < number) this.#port.endSession(member, 'it did not acknowledge a message');
    else if (!member.isKnown && member.pingsBeforeSync < number)
      this.#port.endSession(member, 'it did not send its names');
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
    for (const member of [...this.#port.members()]) this.#check(member);
    this.#port.round();
    this.#alarm = undefined;
    if (this.#port.isWaiting()) this.begin();
  }

  #check(member: Member): void {
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
