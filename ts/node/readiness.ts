// Waits until enough peers are connected.
import { badOption, SnowmeshError } from '../errors/index.ts';

/** Which peers to wait for, and how long. */
export interface ReadyOptions {
  /** How many visible peers there must be, or their names. Default 1. */
  readonly peers?: number | readonly string[] | undefined;
  /** ms. Default 30 000; Infinity: no limit. */
  readonly timeout?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What Readiness needs. */
export interface ReadinessPort {
  /** The visible peers now, by full name. */
  nodes(): readonly string[];
  canonical(name: string): string;
  /** Names that are wanted and not connected. */
  missing(): readonly string[];
  /** Why the last attempt to reach a name failed, in words; undefined: none is known to have failed. */
  failure(name: string): string | undefined;
  after(ms: number, action: () => void): () => void;
}

interface Waiter {
  /** Resolves it when enough peers are connected. */
  readonly check: () => void;
  readonly fail: (reason: unknown) => void;
}

/** The pending calls of `ready`. */
export class Readiness {
  readonly #port: ReadinessPort;
  readonly #waiting = new Set<Waiter>();

  constructor(port: ReadinessPort) {
    this.#port = port;
  }

  /** A peer came up. */
  changed(): void {
    for (const { check } of this.#waiting) check();
  }

  /** The node is stopping: every wait fails. */
  close(): void {
    const why = 'the node was stopped while `ready` waited for peers';
    for (const { fail } of this.#waiting) fail(new SnowmeshError('SNOW_ERR_STOPPED', why));
  }

  /** Resolves with the visible peers as soon as enough are connected. Rejects with SNOW_ERR_NOT_READY or the signal's reason. */
  wait({ peers = 1, timeout = 30_000, signal }: ReadyOptions): Promise<readonly string[]> {
    checkOptions(peers, timeout);
    const wanted = typeof peers === 'number' ? peers : peers.map((name) => this.#port.canonical(name));
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      let cancel: () => void = () => {};
      const end = (): void => {
        cancel();
        this.#waiting.delete(waiting);
        signal?.removeEventListener('abort', onAbort);
      };
      const check = (): boolean => {
        const nodes = this.#port.nodes();
        if (lacking(wanted, nodes).length > 0) return false;
        end();
        resolve(nodes);
        return true;
      };
      const fail = (reason: unknown): void => {
        end();
        reject(reason);
      };
      const onAbort = (): void => fail(signal?.reason);
      const waiting = { check, fail };
      if (check()) return;
      this.#waiting.add(waiting);
      signal?.addEventListener('abort', onAbort, { once: true });
      if (timeout === Number.POSITIVE_INFINITY) return;
      cancel = this.#port.after(timeout, () => fail(notReady(wanted, this.#port, timeout)));
    });
  }
}

function checkOptions(peers: unknown, timeout: unknown): void {
  const isCount = Number.isSafeInteger(peers) && (peers as number) >= 0;
  if (!isCount && !(Array.isArray(peers) && peers.every((name) => typeof name === 'string')))
    throw badOption('peers of ready', peers, 'a whole number from 0 on, or an array of node names');
  if (typeof timeout !== 'number' || !(timeout >= 0))
    throw badOption('timeout of ready', timeout, 'ms from 0 on, or Infinity');
}

/** The missing names. When only a number is wanted: an empty string for each missing peer. */
function lacking(wanted: number | readonly string[], nodes: readonly string[]): readonly string[] {
  if (typeof wanted !== 'number') return wanted.filter((name) => !nodes.includes(name));
  return new Array<string>(Math.max(0, wanted - nodes.length)).fill('');
}

function notReady(wanted: number | readonly string[], port: ReadinessPort, ms: number): SnowmeshError {
  const nodes = port.nodes();
  const lack = lacking(wanted, nodes);
  const missing = typeof wanted === 'number' ? port.missing() : lack;
  const most = typeof wanted === 'number' ? wanted : wanted.length;
  const rest =
    missing.length > 0
      ? `missing: ${missing
          .slice(0, 8)
          .map((name) => withFailure(name, port))
          .join(', ')}`
      : 'no other node is known: pass `discovery`, or connect to a node';
  return new SnowmeshError(
    'SNOW_ERR_NOT_READY',
    `After ${ms} ms ${most - lack.length} of ${most} peers are connected; ${rest}.`,
    { details: { nodes, missing } },
  );
}

function withFailure(name: string, port: ReadinessPort): string {
  const failure = port.failure(name);
  return failure === undefined ? name : `${name} (${failure})`;
}
