import type { Runtime } from '../actor/index.ts';
import type { GroupInfo, NameInfo, RoomInfo, SessionInfo } from './shape.ts';

/** A table of a room above, read a part at a time. */
export interface Listing<T> {
  readonly size: number;
  keys(): Iterable<string>;
  /** Undefined: it is gone. O(1), or O(nodes). */
  describe(key: string): T | undefined;
}

/** A session without its rates. */
export type SessionCounters = Omit<SessionInfo, 'rates'>;

/** What rooms above add to what introspection shows of a node. Each puts its table here, and takes it away when it closes. */
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
