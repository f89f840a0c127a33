// What happened lately: crashes of all nodes that are shown, and what this node saw of its peers.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { DiagnosticEvents } from '../diagnostics/index.ts';
import { type CrashInfo, pidText } from '../introspect/index.ts';
import type { Node } from '../node/index.ts';

/** Crashes that are kept, and other events. */
const MAX_OF_KIND = 100;
const MAX_TEXT_LENGTH = 500;
/** Entries are told together, so that a thousand crashes are no thousand events. Unit: ms. */
const GATHER_MS = 250;

export interface LogEntry {
  readonly id: number;
  /** ms since 1970, by the clock of `node`. */
  readonly at: number;
  readonly kind: 'crash' | 'up' | 'down' | 'stall' | 'recover' | 'unreachable' | 'refuse';
  /** Where it happened. */
  readonly node: string;
  readonly text: string;
  /** Of a crash: places in code, one a line. */
  readonly stack?: string;
  /** How often the same happened; this entry takes the place of the one before. */
  readonly times: number;
}

export class EventLog {
  readonly #node: Node;
  /** By what happened where. The last one last. */
  readonly #crashes = new Map<string, LogEntry>();
  readonly #events = new Map<string, LogEntry>();
  readonly #listeners = new Set<(entries: readonly LogEntry[]) => void>();
  readonly #subscriptions: [string, (message: unknown) => void][] = [];
  #ids = 0;
  /** The last entry that was told. */
  #told = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(node: Node) {
    this.#node = node;
    this.#on('snowmesh:session:up', 'up', ({ peer }) => `${peer} is connected`);
    this.#on('snowmesh:session:down', 'down', ({ peer, cause }) => `${peer} was lost: ${cause}`);
    this.#on('snowmesh:peer:stall', 'stall', ({ peer }) => `the event loop of ${peer} stands still`);
    this.#on('snowmesh:peer:recover', 'recover', ({ peer }) => `the event loop of ${peer} turns again`);
    this.#on(
      'snowmesh:peer:unreachable',
      'unreachable',
      ({ peer, why, detail }) => `${peer} was not reached: ${why}${detail === '' ? '' : `, ${detail}`}`,
    );
    this.#on('snowmesh:peer:refuse', 'refuse', ({ peer, reason }) => `${peer} was refused: ${reason}`);
  }

  /** Crashes that a node remembers; one that it told before has happened again. */
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

  /** Calls `listener` with what is kept, then with what comes. Returns the way to stop. */
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
      // Hidden nodes come and go to look, as the command does.
      if (known.runtime !== this.#node || (known as { hidden?: boolean }).hidden === true) return;
      const text = textOf(known);
      // A dial that fails again and again is one entry; connections that come and go are not.
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
    this.#timer ??= setTimeout(() => this.#tell(), GATHER_MS).unref();
  }

  #tell(): void {
    this.#timer = undefined;
    const entries = this.#since(this.#told);
    this.#told = this.#ids;
    for (const listener of this.#listeners) listener(entries);
  }

  #since(id: number): LogEntry[] {
    return [...this.#crashes.values(), ...this.#events.values()]
      .filter((entry) => entry.id > id)
      .toSorted((one, other) => one.id - other.id);
  }
}
