// Who answers. A process that is frozen, or an event loop that stands still, keeps its session for tens of seconds; names do
// not wait so long. While anything waits for members, those who say nothing are asked whether they are there, and who does not
// answer in time is quiet: nobody waits for it until it says something again. It is told all that happens meanwhile, and
// keeps its names.
//
// Time is counted in rounds: after this node stood still itself there is one round, not many, and what came meanwhile is
// heard before the next.
import type { Alarm, Clock } from '../timers/index.ts';
import { ANSWER_MS } from './limits.ts';
import type { Member } from './member.ts';

const ROUNDS = 5;
const ROUND_MS = ANSWER_MS / ROUNDS;
/** Others call this node quiet after four rounds at least: long before that it has noticed that it stood still. */
const OVERSLEPT_MS = 2 * ROUND_MS;

export interface RollCallPort {
  readonly clock: Clock;
  members(): Iterable<Member>;
  /** Whether anything waits for members, here or at one of them. */
  isWaiting(): boolean;
  ask(member: Member): void;
  /** It does not answer. */
  quiet(member: Member): void;
  /** It was quiet, and is no more. */
  back(member: Member): void;
  /** This node stood still for so long that others may have called it quiet. */
  overslept(): void;
}

export class RollCall {
  readonly #port: RollCallPort;
  #alarm: Alarm | undefined;
  #turned = 0;

  constructor(port: RollCallPort) {
    this.#port = port;
  }

  /** Something waits for members from now on. */
  begin(): void {
    if (this.#alarm !== undefined) return;
    this.#turned = this.#port.clock.now();
    this.#arm();
  }

  /** Word from anybody comes in: before it is heard, this node has to know whether it stood still. */
  wake(): void {
    if (this.#alarm === undefined) return;
    const now = this.#port.clock.now();
    if (now - this.#turned <= OVERSLEPT_MS) return;
    this.#turned = now;
    this.#port.overslept();
  }

  heard(member: Member): void {
    member.silence = 0;
    if (!member.isQuiet) return;
    member.isQuiet = false;
    this.#port.back(member);
  }

  close(): void {
    this.#alarm?.cancel();
    this.#alarm = undefined;
  }

  #arm(): void {
    this.#alarm = this.#port.clock.arm(ROUND_MS, () => this.#round(), false);
  }

  #round(): void {
    this.wake();
    this.#turned = this.#port.clock.now();
    for (const member of this.#port.members()) this.#call(member);
    this.#alarm = undefined;
    if (this.#port.isWaiting()) this.begin();
  }

  #call(member: Member): void {
    if (member.isQuiet) return;
    if (member.silence === 0) this.#port.ask(member);
    if (member.silence++ < ROUNDS - 1) return;
    member.isQuiet = true;
    this.#port.quiet(member);
  }
}
