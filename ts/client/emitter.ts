type Listener = (value: never) => void;

/** Typed events. A listener that throws disturbs no other, and its error is reported as uncaught. */
export class Emitter<Events> {
  private readonly listeners = new Map<keyof Events, Set<Listener>>();

  /** Returns what takes the listener away again. */
  on<E extends keyof Events>(event: E, listener: (value: Events[E]) => void): () => void {
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
