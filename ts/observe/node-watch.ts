// Polls one node for the table that a viewer has selected.
import type { Introspection, TopKey } from '../introspect/index.ts';
import type { Node } from '../node/index.ts';
import { Watch } from './watch.ts';

const TIMEOUT_MS = 5000;
const TOP = 50;
const ENTRIES = 300;
const MAX_NAME_LENGTH = 512;

const TABLES = {
  actors: (view: Introspection, { by }: Selection) => view.top({ by, limit: TOP }),
  tree: (view: Introspection) => view.tree({ limit: ENTRIES }),
  sessions: async (view: Introspection) => firstOf(await view.sessions()),
  names: (view: Introspection) => view.names({ limit: ENTRIES }),
  globalNames: (view: Introspection) => view.globalNames({ limit: ENTRIES }),
  groups: (view: Introspection) => view.groups({ limit: ENTRIES }),
  rooms: (view: Introspection) => view.rooms({ limit: ENTRIES }),
} as const;

/** A list that has no pages, as the first page of one that has. */
function firstOf<T>(items: readonly T[]): { readonly items: readonly T[]; readonly total: number } {
  return { items: items.slice(0, ENTRIES), total: items.length };
}

type Table = keyof typeof TABLES;

/** The node and table that a viewer has selected. */
export interface Selection {
  readonly node: string;
  readonly table: Table;
  readonly by: TopKey;
}

/** The selection in the parameters of a request; undefined when they are invalid. */
export function selectionOf(parameters: URLSearchParams, root: string): Selection | undefined {
  const node = parameters.get('node') ?? root;
  const table = parameters.get('table') ?? 'actors';
  const by = parameters.get('by') ?? 'mailbox';
  if (
    node.length > MAX_NAME_LENGTH ||
    (node !== root && !node.includes('@')) ||
    !Object.hasOwn(TABLES, table)
  )
    return undefined;
  if (by !== 'mailbox' && by !== 'turns' && by !== 'memory') return undefined;
  return { node, table: table as Table, by };
}

/** The data that is sent to the page. */
interface Shown {
  readonly node: string;
  readonly table: Table;
  readonly totals?: { readonly mailbox: number; readonly turns: number };
  readonly rows?: unknown;
  /** Why there is no new data. */
  readonly problem?: string;
}

/** Polls for all viewers with the same selection. */
export class NodeWatch extends Watch<Shown> {
  readonly #node: Node;
  readonly #selection: Selection;

  constructor(node: Node, selection: Selection, every: number) {
    super(every);
    this.#node = node;
    this.#selection = selection;
  }

  protected override async look(): Promise<Shown> {
    const { node, table } = this.#selection;
    try {
      const view = this.#node.introspect(node, { timeout: TIMEOUT_MS }); // throws for an invalid name
      const [totals, rows] = await Promise.all([view.totals(), TABLES[table](view, this.#selection)]);
      return { node, table, totals, rows };
    } catch (error) {
      return { node, table, problem: (error as Error).message };
    }
  }
}
