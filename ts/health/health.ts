import type { IncomingMessage, ServerResponse } from 'node:http';
import { badOption, checkFlag, checkHost, checkOptionNames, type OptionNames } from '../errors/index.ts';
import type { LoopDelay } from '../introspect/index.ts';
import { DEFAULT_PORT, type Node } from '../node/index.ts';
import { Pid } from '../term/index.ts';

/** When a node is ready, and what its answers contain. */
export interface HealthOptions {
  /**
   * How many visible peers must be connected, or the full names of those that must be. A peer whose event loop is blocked does not count.
   * Default 0.
   */
  readonly peers?: number | readonly string[] | undefined;
  /**
   * Actors without which this node is of no use: its top supervisors. Once one of them has ended, both probes answer 503, so that the orchestrator
   * starts the process again.
   */
  readonly actors?: readonly Pid<never>[] | undefined;
  /** Most ms by which this node's event loop may have been late in the last 10 seconds or so. Default 5000; Infinity: no limit. */
  readonly maxLoopDelay?: number | undefined;
  /**
   * Whether answers contain the names of nodes and the event-loop delay of this node and its peers. Only for a network where all may know
   * them. Default false.
   */
  readonly verbose?: boolean | undefined;
}

/** @internal */
export const HEALTH_OPTIONS: OptionNames<HealthOptions> = {
  peers: true,
  actors: true,
  maxLoopDelay: true,
  verbose: true,
};

/** The answer of `/livez` and `/readyz`, as JSON. */
export interface Health {
  readonly status: 'ok' | 'failed';
  /** Why it failed: `stopped`, `stopping`, `actors` (one has ended), `peers` (too few), `loop` (the event loop was late). */
  readonly reasons: readonly string[];
  /** With `verbose`: the name of this node. */
  readonly node?: string;
  /** With `verbose`: how late the event loop of this node was. */
  readonly loopDelay?: LoopDelay | undefined;
  /** With `verbose`: the connected peers. */
  readonly peers?: readonly PeerHealth[];
}

/** The health of a peer. */
export interface PeerHealth {
  readonly node: string;
  /** Whether its event loop is blocked. */
  readonly stalled: boolean;
  /** Undefined: the peer did not answer. */
  readonly loopDelay: LoopDelay | undefined;
}

/** Answers a request for `/livez` or `/readyz`. Returns false for any other request, which it does not touch. */
export type HealthHandler = (request: IncomingMessage, response: ServerResponse) => boolean;

const MAX_LOOP_DELAY_MS = 5000;
/** Most peers that are asked for their event-loop delay, and ms to wait for each. */
const MAX_ASKED = 32;
const ASK_MS = 500;

/**
 * Makes a handler for the probes of an orchestrator. O(peers) for each request.
 *
 * `/livez` is 200 while the node runs, also while it stops, and 503 once one of the `actors` has ended by itself. `/readyz` is 503 then, too,
 * and while the node stops, has too few peers, or its event loop was late. A process whose event loop is blocked does not answer at all: give the probe a timeout.
 *
 * @param node The node, as `startNode` returned it.
 * @returns A handler for `node:http`, and for frameworks that expose its objects.
 * @throws SNOW_ERR_BAD_OPTION.
 * @example
 * const health = healthHandler(node, { peers: 2 });
 * createServer((request, response) => health(request, response) || app(request, response));
 */
export function healthHandler(node: Node, options: HealthOptions = {}): HealthHandler {
  checkHost('healthHandler', node);
  checkOptionNames('healthHandler', options, HEALTH_OPTIONS);
  const { peers = 0, actors = [], maxLoopDelay = MAX_LOOP_DELAY_MS, verbose = false } = options;
  checkFlag('healthHandler', 'verbose', verbose);
  checkPeers(peers);
  checkActors(actors);
  if (!(maxLoopDelay > 0)) throw badOption('maxLoopDelay', maxLoopDelay, 'ms, more than 0');
  node.introspector.view.loopDelay(); // starts the measurement
  const examine = {
    livez: () => liveness(node, actors),
    readyz: () => readiness(node, actors, peers, maxLoopDelay),
  };
  return (request, response) => {
    const [path = ''] = (request.url ?? '').split('?', 1);
    if (path !== '/livez' && path !== '/readyz') return false;
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.writeHead(405, { allow: 'GET, HEAD' }).end();
      return true;
    }
    const reasons = examine[path === '/livez' ? 'livez' : 'readyz']();
    const health: Health = { status: reasons.length === 0 ? 'ok' : 'failed', reasons };
    if (!verbose) answer(response, health);
    else void details(node).then((more) => answer(response, { ...health, ...more }));
    return true;
  };
}

function liveness(node: Node, actors: readonly Pid<never>[]): string[] {
  if (node.isStopped) return ['stopped'];
  return node.isStopping || actors.every((pid) => node.isAlive(pid)) ? [] : ['actors'];
}

function readiness(
  node: Node,
  actors: readonly Pid<never>[],
  wanted: number | readonly string[],
  maxLoopDelay: number,
): string[] {
  const reasons: string[] = [];
  if (liveness(node, actors).includes('actors')) reasons.push('actors');
  if (node.isStopped) reasons.push('stopped');
  else if (node.isStopping) reasons.push('stopping');
  const here = new Set(
    node
      .stats()
      .peers.filter(({ hidden, stalled }) => !hidden && !stalled)
      .map((peer) => peer.node),
  );
  const isEnough =
    typeof wanted === 'number'
      ? here.size >= wanted
      : wanted.every((name) => here.has(name) || here.has(`${name}:${DEFAULT_PORT}`));
  if (!isEnough) reasons.push('peers');
  const delay = node.introspector.view.loopDelay();
  if (delay !== undefined && delay.max > maxLoopDelay) reasons.push('loop');
  return reasons;
}

/** The fields that `verbose` adds. */
async function details(node: Node): Promise<Omit<Health, 'status' | 'reasons'>> {
  const peers = node.stats().peers.map(async ({ node: name, stalled }, index): Promise<PeerHealth> => {
    const isAsked = !stalled && index < MAX_ASKED;
    const view = node.introspect(name, { timeout: ASK_MS });
    const overview = isAsked ? await view.overview().catch(() => undefined) : undefined;
    return { node: name, stalled, loopDelay: overview?.loopDelay };
  });
  return { node: node.name, loopDelay: node.introspector.view.loopDelay(), peers: await Promise.all(peers) };
}

function answer(response: ServerResponse, health: Health): void {
  const headers = { 'content-type': 'application/json', 'cache-control': 'no-store' };
  response.writeHead(health.status === 'ok' ? 200 : 503, headers).end(`${JSON.stringify(health)}\n`);
}

function checkPeers(peers: unknown): void {
  if (Number.isSafeInteger(peers) && (peers as number) >= 0) return;
  if (Array.isArray(peers) && peers.every((name) => typeof name === 'string' && name.includes('@'))) return;
  throw badOption('peers', peers, 'a whole number, or a list of full node names');
}

function checkActors(actors: unknown): void {
  if (Array.isArray(actors) && actors.every((pid) => pid instanceof Pid && pid.isLocal)) return;
  throw badOption('actors', actors, 'a list of PIDs of this node');
}
