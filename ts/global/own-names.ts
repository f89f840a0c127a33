import type { Pid } from '../term/index.ts';

export interface DeathsPort {
  onDeath(pid: Pid, callback: (pid: Pid) => void): () => void;
}

interface Holding {
  readonly names: Set<string>;
  readonly unwatch: () => void;
}

/** The names that actors of this node have, by actor, and word of their deaths. */
export class OwnNames {
  readonly #byActor = new Map<number, Holding>();
  readonly #deaths: DeathsPort;
  readonly #died: (pid: Pid, names: Iterable<string>) => void;

  /** @param died is called once when an actor dies that was watched. */
  constructor(deaths: DeathsPort, died: (pid: Pid, names: Iterable<string>) => void) {
    this.#deaths = deaths;
    this.#died = died;
  }

  /** From now on until its death: one watch an actor, however many names it has. */
  watch(pid: Pid): void {
    if (this.#byActor.has(pid.local)) return;
    const names = new Set<string>();
    const unwatch = this.#deaths.onDeath(pid, () => {
      this.#byActor.delete(pid.local);
      this.#died(pid, names);
    });
    this.#byActor.set(pid.local, { names, unwatch });
  }

  add(pid: Pid, name: string): void {
    this.#byActor.get(pid.local)?.names.add(name);
  }

  remove(pid: Pid, name: string): void {
    this.#byActor.get(pid.local)?.names.delete(name);
  }

  close(): void {
    for (const { unwatch } of this.#byActor.values()) unwatch();
    this.#byActor.clear();
  }
}
