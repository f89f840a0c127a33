import type { AliasMode } from '../actor/self.ts';
import type { Ref } from '../term/index.ts';
import type { Cell } from './cell.ts';

/** An active alias. */
export interface Alias {
  readonly ref: Ref;
  readonly cell: Cell;
  readonly mode: AliasMode;
}

/** The active aliases of a runtime; an actor knows the ids of its own. */
export class Aliases {
  private readonly byId: Map<number, Alias> = new Map();

  get size(): number {
    return this.byId.size;
  }

  get(ref: Ref): Alias | undefined {
    return this.byId.get(ref.id);
  }

  add(cell: Cell, ref: Ref, mode: AliasMode): void {
    this.byId.set(ref.id, { ref, cell, mode });
    const more = cell.more();
    more.aliases ??= new Set();
    more.aliases.add(ref.id);
  }

  end({ ref, cell }: Alias): void {
    this.byId.delete(ref.id);
    cell.forgetAlias(ref);
  }

  /** A monitor ended: its alias goes with it, unless it is explicit. */
  endWithMonitor(ref: Ref): void {
    if (this.byId.size === 0) return;
    const alias = this.byId.get(ref.id);
    if (alias !== undefined && alias.mode !== 'explicit') this.end(alias);
  }

  /** An actor died. */
  endAll(ids: Iterable<number>): void {
    for (const id of ids) this.byId.delete(id);
  }
}
