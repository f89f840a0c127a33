import type { Rate } from './protocol.ts';

/** The client sends at this share of the rate, because its clock and that of the server differ. */
const SHARE = 0.95;
/** The keys of a heartbeat, and of other messages that the server does not acknowledge. That of a message of the user is its number. */
const BEAT = -1;
const OTHER = 0;

/**
 * Sends messages in order, at a rate that the server takes. The server counts a message when it reads it, which may be long after it was
 * sent, and many of them at once. So a message counts here from when it is sent until some time after the server is known to have read it.
 */
export class Pacer {
  private readonly writeBeat: () => void;
  private rate: Rate | undefined;
  private waiting: (readonly [key: number, write: () => void])[] = [];
  /** The keys of the messages that the server is not known to have read. */
  private unread: number[] = [];
  /** How many of those that it has read counted at the time `countedAt`. */
  private count = 0;
  private countedAt = 0;
  private isBeatDue = false;
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** @param writeBeat Sends a heartbeat. The server answers it as soon as it has read it. */
  constructor(writeBeat: () => void) {
    this.writeBeat = writeBeat;
  }

  /** The server has read the first message of a connection. @param rate What it takes; undefined: it does not say. */
  begin(rate: Rate | undefined): void {
    this.rate = rate;
    this.add(1);
  }

  /** Sends a message now or later. @param number That of a message of the user. */
  send(write: () => void, number: number = OTHER): void {
    this.waiting.push([number, write]);
    this.go();
  }

  /** Sends a heartbeat before all that waits, unless one is not answered yet. */
  readonly beat = (): void => {
    this.isBeatDue = !this.unread.includes(BEAT);
    this.go();
  };

  /** The server has answered the heartbeat, or the message with this number: it has read that and all before. */
  answered(number: number = BEAT): void {
    const count = this.unread.indexOf(number) + 1;
    this.unread.splice(0, count);
    this.add(count);
    this.go();
  }

  /** The connection has ended: what waits is dropped. */
  end(): void {
    this.stopTimer();
    this.waiting = [];
    this.unread = [];
    this.count = 0;
    this.isBeatDue = false;
  }

  private go(): void {
    // Answers do not change when the next message may be sent; only a heartbeat may be sent before.
    if (this.timer !== undefined && !this.isBeatDue) return;
    this.stopTimer();
    while (this.isBeatDue || this.waiting.length > 0) {
      const ms = this.delay();
      if (ms > 0) {
        if (ms < Infinity) this.timer = setTimeout(this.onTimer, ms);
        return;
      }
      const [key, write] = this.isBeatDue
        ? ([BEAT, this.writeBeat] as const)
        : (this.waiting.shift() as (typeof this.waiting)[0]);
      if (key === BEAT) this.isBeatDue = false;
      if (this.rate !== undefined) this.unread.push(key);
      write();
    }
  }

  private readonly onTimer = (): void => {
    this.timer = undefined;
    this.go();
  };

  private stopTimer(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  /** ms until the next message may be sent; Infinity: not before the server has answered. */
  private delay(): number {
    if (this.rate === undefined) return 0;
    const { perSecond, burst } = this.rate;
    // The last place is for a heartbeat: without acknowledgements its answer tells what the server has read.
    const places = burst - this.unread.length - (this.isBeatDue ? 0 : 1);
    if (places < 1) {
      if (this.unread.includes(BEAT)) return Infinity;
      this.isBeatDue = true;
      return this.delay();
    }
    this.add(0);
    return Math.ceil((this.count + 1 - places) / ((perSecond * SHARE) / 1000));
  }

  /** Counts messages that the server has read. What it takes in time is subtracted first. */
  private add(count: number): void {
    const now = performance.now();
    const read = ((now - this.countedAt) / 1000) * (this.rate?.perSecond ?? 0) * SHARE;
    this.count = Math.max(0, this.count - read) + count;
    this.countedAt = now;
  }
}
