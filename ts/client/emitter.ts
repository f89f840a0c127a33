import { checkFunction, misuse } from './errors.ts';

type Listener = (value: never) => void;

/** Typed events. If a listener throws, the others still run, and its error is reported as uncaught. */
export class Emitter<Events> {
  private readonly listeners = new Map<keyof Events, Set<Listener>>();
  private readonly events: readonly (keyof Events)[];

  constructor(events: readonly (keyof Events)[]) {
    this.events = events;
  }

  /**
   * Calls `listener` with each value of an event.
   *
   * @returns A function that removes the listener.
   * @throws SNOW_ERR_BAD_ARGUMENT when there is no such event, or the listener is not a function.
   */
  on<E extends keyof Events>(event: E, listener: (value: Events[E]) => void): () => void {
    if (!this.events.includes(event)) {
      const there = this.events.join(', ');
      throw misuse('SNOW_ERR_BAD_ARGUMENT', `on: there is no event ${String(event)}; there are ${there}`);
    }
    checkFunction('on', listener);
    const all = this.listeners.get(event) ?? new Set();
    this.listeners.set(event, all);
    all.add(listener as Listener);
    return () => void all.delete(listener as Listener);
  }

  protected emit<E extends keyof Events>(event: E, value: Events[E]): void {
    for (const listener of [...(this.listeners.get(event) ?? [])]) {
      try {
        (listener as (value: Events[E]) => void)(value);
      } catch (error) {
        setTimeout(() => {
          throw error;
        });
      }
    }
  }
}
