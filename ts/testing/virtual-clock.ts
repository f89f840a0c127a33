import type { Alarm, Clock } from '../timers/index.ts';

interface VirtualAlarm extends Alarm {
  readonly at: number;
  readonly order: number;
  readonly fire: () => void;
}

/** Time that changes only when the test moves it. */
export class VirtualClock implements Clock {
  private time: number;
  private readonly alarms = new Set<VirtualAlarm>();
  private order = 0;

  /** @param start ms at which it begins. */
  constructor(start = 0) {
    this.time = start;
  }

  now(): number {
    return this.time;
  }

  arm(delay: number, fire: () => void): Alarm {
    const { alarms } = this;
    const alarm: VirtualAlarm = {
      at: this.time + Math.max(0, delay),
      order: this.order++,
      fire,
      cancel: () => void alarms.delete(alarm),
    };
    alarms.add(alarm);
    return alarm;
  }

  /** When the next alarm is due, in ms of this clock; Infinity: there is none. */
  get next(): number {
    return this.earliest()?.at ?? Number.POSITIVE_INFINITY;
  }

  /**
   * Moves on to the next alarm that is due until `limit`, and fires it. False: there is none, and the clock stands at
   * `limit`.
   */
  step(limit: number): boolean {
    const alarm = this.earliest();
    if (alarm === undefined || alarm.at > limit) {
      this.time = Math.max(this.time, limit);
      return false;
    }
    this.time = Math.max(this.time, alarm.at);
    this.alarms.delete(alarm);
    alarm.fire();
    return true;
  }

  /** Lets `ms` pass in which nothing runs, as when a process is frozen: alarms that were due fire late, with the next steps. */
  skip(ms: number): void {
    this.time += ms;
  }

  private earliest(): VirtualAlarm | undefined {
    let first: VirtualAlarm | undefined;
    for (const alarm of this.alarms) {
      if (
        first === undefined ||
        alarm.at < first.at ||
        (alarm.at === first.at && alarm.order < first.order)
      ) {
        first = alarm;
      }
    }
    return first;
  }
}
