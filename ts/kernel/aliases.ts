import { kindOf, SnowmeshError } from '../errors/index.ts';
import type { Ref } from '../term/index.ts';

/**
 * What ends an alias: `explicit` only `unalias`; `demonitor` also the end of its monitor, by `demonitor` or by its Down; `reply` also
 * the first message that arrives through it. As the `alias` option of Erlang's `monitor/3`.
 */
export type AliasMode = 'explicit' | 'demonitor' | 'reply';

const MODES: ReadonlySet<unknown> = new Set<AliasMode>(['explicit', 'demonitor', 'reply']);

/** Throws SNOW_ERR_BAD_OPTION when `mode` is not an {@link AliasMode}. */
export function checkAliasMode(mode: unknown): void {
  if (MODES.has(mode)) return;
  throw new SnowmeshError(
    'SNOW_ERR_BAD_OPTION',
    `the mode of an alias is ${kindOf(mode)}; it must be ${[...MODES].join(', ')}`,
  );
}

/** An actor as the alias table sees it: it keeps the ids of its own aliases. */
export interface AliasOwner {
  noteAlias(id: number): void;
  forgetAlias(id: number): void;
}

/** An active alias. */
export interface Alias<C extends AliasOwner> {
  readonly ref: Ref;
  readonly cell: C;
  readonly mode: AliasMode;
}

/** The active aliases of a runtime, by the id of their reference. */
export class Aliases<C extends AliasOwner> {
  private readonly byId: Map<number, Alias<C>> = new Map();

  get size(): number {
    return this.byId.size;
  }

  get(ref: Ref): Alias<C> | undefined {
    const alias = this.byId.get(ref.id);
    return alias?.ref.equals(ref) ? alias : undefined; // another runtime of the process may have an equal id
  }

  add(cell: C, ref: Ref, mode: AliasMode): void {
    this.byId.set(ref.id, { ref, cell, mode });
    cell.noteAlias(ref.id);
  }

  end({ ref, cell }: Alias<C>): void {
    this.byId.delete(ref.id);
    cell.forgetAlias(ref.id);
  }

  /** The monitor `ref` ended: its alias ends with it, unless the alias is explicit. */
  endWithMonitor(ref: Ref): void {
    if (this.byId.size === 0) return;
    const alias = this.byId.get(ref.id);
    if (alias !== undefined && alias.mode !== 'explicit') this.end(alias);
  }

  /** Removes the aliases of a dead actor. */
  endAll(ids: Iterable<number>): void {
    for (const id of ids) this.byId.delete(id);
  }
}
