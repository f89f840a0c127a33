import type { NamesPort } from '../actor/index.ts';
import { kindOf, nameText, SnowmeshError } from '../errors/index.ts';
import type { Pid } from '../term/index.ts';

const MAX_NAME = 255;

/**
 * Names of local actors: one living actor for each name (F1). An actor may have several names, as in Elixir's Registry (F2), and
 * they are free again before any other actor is told of its death (F5).
 */
export class LocalNames implements NamesPort {
  private readonly byName = new Map<string, Pid>();
  private readonly byActor = new Map<number, Set<string>>();

  /** O(1). Throws SNOW_ERR_BAD_NAME, and SNOW_ERR_NAME_TAKEN with the PID that has the name as `details.holder` (F7). */
  register(name: string, pid: Pid): void {
    if (
      typeof name !== 'string' ||
      name === '' ||
      name === 'undefined' ||
      Buffer.byteLength(name) > MAX_NAME ||
      !name.isWellFormed()
    ) {
      throw new SnowmeshError(
        'SNOW_ERR_BAD_NAME',
        `${nameText(name)} cannot be a name: use 1 to ${MAX_NAME} bytes of text, and not "undefined".`,
      );
    }
    const holder = this.byName.get(name);
    if (holder !== undefined) {
      throw new SnowmeshError('SNOW_ERR_NAME_TAKEN', `${JSON.stringify(name)} is the name of ${holder}.`, {
        details: { name, holder },
      });
    }
    this.byName.set(name, pid);
    const names = this.byActor.get(pid.local);
    if (names === undefined) this.byActor.set(pid.local, new Set([name]));
    else names.add(name);
  }

  /** False: no actor had it. Throws SNOW_ERR_BAD_NAME for what is no string. */
  unregister(name: string): boolean {
    checkText(name);
    const pid = this.byName.get(name);
    if (pid === undefined) return false;
    this.byName.delete(name);
    const names = this.byActor.get(pid.local);
    names?.delete(name);
    if (names?.size === 0) this.byActor.delete(pid.local);
    return true;
  }

  /** Throws SNOW_ERR_BAD_NAME for what is no string. */
  whereis(name: string): Pid | undefined {
    checkText(name);
    return this.byName.get(name);
  }

  registered(): string[] {
    return [...this.byName.keys()];
  }

  keys(): IterableIterator<string> {
    return this.byName.keys();
  }

  get size(): number {
    return this.byName.size;
  }

  namesOf(pid: Pid): Iterable<string> {
    return this.byActor.get(pid.local) ?? [];
  }

  release(pid: Pid): void {
    if (this.byActor.size === 0) return;
    const names = this.byActor.get(pid.local);
    if (names === undefined) return;
    this.byActor.delete(pid.local);
    for (const name of names) this.byName.delete(name);
  }
}

function checkText(name: unknown): void {
  if (typeof name === 'string') return;
  throw new SnowmeshError('SNOW_ERR_BAD_NAME', `A name is a string, not ${kindOf(name)}.`);
}
