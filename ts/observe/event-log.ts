// Recent events: crashes of all shown nodes, and what happened to the peers of this node.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { DiagnosticEvents } from '../diagnostics/index.ts';
import { type CrashInfo, pidText } from '../introspect/index.ts';
import type { Node } from '../node/index.ts';

/** Crashes that are kept, and as many other events. */
const MAX_OF_KIND = 100;
const MAX_TEXT_LENGTH = 500;
/** New entries are sent together after this time, so that many crashes at once are one event for the page. */
const GATHER_MS = 250;

export interface LogEntry {
  readonly id: number;
  /** ms since 1970, by the clock of `node`. */
  readonly at: number;
  readonly kind: 'crash' | 'up' | 'down' | 'stall' | 'recover' | 'unreachable' | 'refuse';
  /** Where it happened. */
  readonly node: string;
  readonly text: string;
  /** The stack of a crash, one frame per line. */
  readonly stack?: string;
  /** How often the same event happened. The entry replaces the previous one. */
  readonly times: number;
}

export class EventLog {
  readonly #node: Node;
  /** By node and text, the newest last. */
  readonly #crashes = new Map<string, LogEntry>();
  readonly #events = new Map<string, LogEntry>();
  readonly #listeners = new Set<(entries: readonly LogEntry[]) => void>();
  readonly #subscriptions: [string, (message: unknown) => void][] = [];
  #ids = 0;
  /** The id of the last entry that was sent. */
  #lastSent = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(node: Node) {
    this.#node = node;
    this.#on('snowmesh:session:up', 'up', ({ peer }) => `${peer} is connected`);
    this.#on('snowmesh:session:down', 'down', ({ peer, cause }) => `${peer} was lost: ${cause}`);
    this.#on('snowmesh:peer:stall', 'stall', ({ peer }) => `the event loop of ${peer} is blocked`);
    this.#on('snowmesh:peer:recover', 'recover', ({ peer }) => `the event loop of ${peer} runs again`);
    this.#on(
      'snowmesh:peer:unreachable',
      'unreachable',
      ({ peer, why, detail }) => `${peer} could not be reached: ${why}${detail === '' ? '' : `, ${detail}`}`,
    );
    this.#on('snowmesh:peer:refuse', 'refuse', ({ peer, reason }) => `${peer} was refused: ${reason}`);
  }

  /** Adds crashes that a node reported. A known one has happened again. */
  crashed(node: string, crashes: readonly CrashInfo[]): void {
    for (const { at, pid, label, reason, stack, times } of crashes) {
      const text = `${label} ${pidText(this.#node, node, pid)}: ${reason}`;
      this.#add(this.#crashes, `${node}\n${label}\n${reason}`, {
        at,
        kind: 'crash',
        node,
        text,
        stack,
        times,
      });
    }
  }

  /** Calls `listener` with all kept entries, then with new ones. Returns a function that stops it. */
  follow(listener: (entries: readonly LogEntry[]) => void): () => void {
    listener(this.#since(0));
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#listeners.clear();
    for (const [name, listener] of this.#subscriptions) unsubscribe(name, listener);
  }

  #on<K extends keyof DiagnosticEvents>(
    name: K,
    kind: LogEntry['kind'],
    textOf: (message: DiagnosticEvents[K]) => string,
  ): void {
    const listener = (message: unknown): void => {
      const known = message as DiagnosticEvents[K];
      // Hidden nodes, such as the `snowmesh` command, connect only to inspect the cluster.
      if (known.runtime !== this.#node || (known as { hidden?: boolean }).hidden === true) return;
      const text = textOf(known);
      // Repeated failures to dial, and refusals, are one entry; each other event is its own.
      const isFolded = kind === 'unreachable' || kind === 'refuse';
      const key = isFolded ? `${kind}\n${text}` : `${this.#ids}`;
      const times = (this.#events.get(key)?.times ?? 0) + 1;
      this.#add(this.#events, key, { at: Date.now(), kind, node: this.#node.name, text, times });
    };
    subscribe(name, listener);
    this.#subscriptions.push([name, listener]);
  }

  #add(kept: Map<string, LogEntry>, key: string, entry: Omit<LogEntry, 'id'>): void {
    kept.delete(key);
    kept.set(key, { ...entry, id: ++this.#ids, text: entry.text.slice(0, MAX_TEXT_LENGTH) });
    if (kept.size > MAX_OF_KIND) kept.delete(kept.keys().next().value as string);
    this.#timer ??= setTimeout(() => this.#send(), GATHER_MS).unref();
  }

  #send(): void {
    this.#timer = undefined;
    const entries = this.#since(this.#lastSent);
    this.#lastSent = this.#ids;
    for (const listener of this.#listeners) listener(entries);
  }

  #since(id: number): LogEntry[] {
    return [...this.#crashes.values(), ...this.#events.values()]
      .filter((entry) => entry.id > id)
      .toSorted((one, other) => one.id - other.id);
  }
}
