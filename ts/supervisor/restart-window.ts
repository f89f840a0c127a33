/**
 * Limits restarts (J5-J7): at most `intensity` within `period` milliseconds.
 *
 * Pure: time is a parameter. It remembers no restart that is older than the period, however great the intensity is.
 */
export class RestartWindow {
  readonly intensity: number;
  readonly period: number;
  /** From `oldest` on: the times of the restarts within the period. */
  private readonly times: number[] = [];
  private oldest = 0;

  constructor(intensity: number, period: number) {
    this.intensity = intensity;
    this.period = period;
  }

  /**
   * The time limit of one attempt to reach a lost node, in ms. With it, failing attempts reach the intensity within one `period`,
   * however long connecting takes. Infinity if the intensity is.
   */
  get attemptMs(): number {
    return this.intensity === Number.POSITIVE_INFINITY ? this.intensity : this.period / (this.intensity + 1);
  }

  /** Why the supervisor gives up, after `record` said false for the child with that id. */
  exceededBy(id: string): string {
    const { intensity, period } = this;
    const restarts = intensity === 1 ? '1 restart' : `${intensity} restarts`;
    return `child "${id}" needs more than ${restarts} within ${period} ms (intensity, period)`;
  }

  /**
   * Counts a restart at `now` (ms of a monotonic clock). Returns false when it exceeds the limit: the supervisor gives up then.
   * A restart that is exactly `period` old still counts (J7). Amortised O(1).
   */
  record(now: number): boolean {
    const { times, intensity, period } = this;
    if (intensity === 0) return false;
    if (intensity === Number.POSITIVE_INFINITY) return true;
    while (this.oldest < times.length && now - (times[this.oldest] as number) > period) this.oldest++;
    if (times.length - this.oldest >= intensity) return false;
    if (this.oldest > times.length / 2) {
      times.splice(0, this.oldest);
      this.oldest = 0;
    }
    times.push(now);
    return true;
  }
}
