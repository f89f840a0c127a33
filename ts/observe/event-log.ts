// What happened lately: crashes of this node's actors, and what became of its peers.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { inspect } from 'node:util';
import type { DiagnosticEvents } from '../diagnostics/index.ts';
import type { Node } from '../node/index.ts';

/** Entries that are kept. */
const MAX_ENTRIES = 200;
const LONGEST_TEXT = 300;
/** Entries are told together, so that a thousand crashes are no thousand events. Unit: ms. */
const GATHER_MS = 250;

export interface LogEntry {
  readonly id: number;
  /** ms since 1970. */
  readonly at: number;
  readonly kind: 'crash' | 'up' | 'down' | 'stall' | 'recover' | 'refuse';
  readonly text: string;
}

export class EventLog {
  readonly #node: Node;
  readonly #entries: LogEntry[] = [];
  readonly #listeners = new Set<(entries: readonly LogEntry[]) => void>();
  readonly #subscriptions: [string, (message: unknown) => void][] = [];
  #ids = 0;
  #fresh = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(node: Node) {
    this.#node = node;
    this.#on(
      'snowmesh:actor:crash',
      'crash',
      ({ label, pid, reason }) => `${label} ${String(pid)}: ${brief(reason)}`,
    );
    this.#on('snowmesh:session:up', 'up', ({ peer }) => `${peer} is connected`);
    this.#on('snowmesh:session:down', 'down', ({ peer, cause }) => `${peer} was lost: ${cause}`);
    this.#on(
      'snowmesh:peer:stall',
      'stall',
      ({ peer, ageMs }) => `the event loop of ${peer} stands still for ${ageMs} ms`,
    );
    this.#on('snowmesh:peer:recover', 'recover', ({ peer }) => `the event loop of ${peer} turns again`);
    this.#on('snowmesh:peer:refuse', 'refuse', ({ peer, reason }) => `${peer} was refused: ${reason}`);
  }

  /** Calls `listener` with what is kept, then with what comes. Returns the way to stop. */
  follow(listener: (entries: readonly LogEntry[]) => void): () => void {
    listener(this.#entries);
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
    text: (message: DiagnosticEvents[K]) => string,
  ): void {
    const listener = (message: unknown): void => {
      const known = message as DiagnosticEvents[K];
      // Hidden nodes come and go to look, as the command does.
      if (known.runtime === this.#node && (known as { hidden?: boolean }).hidden !== true)
        this.#add(kind, text(known));
    };
    subscribe(name, listener);
    this.#subscriptions.push([name, listener]);
  }

  #add(kind: LogEntry['kind'], text: string): void {
    this.#entries.push({ id: ++this.#ids, at: Date.now(), kind, text: text.slice(0, LONGEST_TEXT) });
    if (this.#entries.length > MAX_ENTRIES) this.#entries.shift();
    this.#fresh++;
    this.#timer ??= setTimeout(() => this.#tell(), GATHER_MS).unref();
  }

  #tell(): void {
    const entries = this.#entries.slice(-Math.min(this.#fresh, MAX_ENTRIES));
    this.#fresh = 0;
    this.#timer = undefined;
    for (const listener of this.#listeners) listener(entries);
  }
}

/** A reason in one line. */
function brief(reason: unknown): string {
  const { error } = (typeof reason === 'object' && reason !== null ? reason : {}) as {
    error?: { name?: unknown; message?: unknown };
  };
  if (typeof error?.message === 'string') return `${String(error.name ?? 'Error')}: ${error.message}`;
  return inspect(reason, { depth: 1, breakLength: Number.POSITIVE_INFINITY, maxStringLength: LONGEST_TEXT });
}
