import type { Runtime } from '../actor/index.ts';
import type { GroupInfo, NameInfo, RoomInfo, SessionInfo } from './answers.ts';

/** A table of a module above, which is read in parts. */
export interface Listing<T> {
  readonly size: number;
  keys(): Iterable<string>;
  /** Undefined: the entry was removed. O(1), or O(nodes). */
  describe(key: string): T | undefined;
}

/** A session without its rates. */
export type SessionCounters = Omit<SessionInfo, 'rates'>;

/** The tables of modules above that introspection shows. Each module adds its table, and removes it when it closes. */
export class Sources {
  sessions: () => readonly SessionCounters[] = () => [];
  globalNames: Listing<NameInfo> | undefined;
  rooms: Listing<RoomInfo> | undefined;
  /** By scope; '' stands for the scope without a name. */
  readonly groups: Map<string, Listing<GroupInfo>> = new Map();
}

const all = new WeakMap<Runtime, Sources>();

/** The sources of one runtime. */
export function sourcesOf(runtime: Runtime): Sources {
  let sources = all.get(runtime);
  if (sources === undefined) all.set(runtime, (sources = new Sources()));
  return sources;
}
