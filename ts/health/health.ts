import type { IncomingMessage, ServerResponse } from 'node:http';
import { checkFlag, checkHost, checkOptionNames, type OptionNames, SnowmeshError } from '../errors/index.ts';
import type { LoopDelay } from '../introspect/index.ts';
import { DEFAULT_PORT, type Node } from '../node/index.ts';

/** When a node counts as ready, and what is told of it. */
export interface HealthOptions {
  /** How many visible peers must be connected, or which; one whose event loop stands still does not count. Default 0. */
  readonly peers?: number | readonly string[];
  /** Longest delay of this node's own event loop, in ms, over the last ten seconds or so. Default 5000; Infinity: any. */
  readonly maxLoopDelay?: number;
  /** Whether answers name nodes and hold figures, also the event-loop delay of peers that tell it. For a network that may know. Default false. */
  readonly verbose?: boolean;
}

/** @internal */
export const HEALTH_OPTIONS: OptionNames<HealthOptions> = { peers: true, maxLoopDelay: true, verbose: true };

/** What `/livez` and `/readyz` answer. */
export interface Health {
  readonly status: 'ok' | 'failed';
  /** Why not: `stopped`, `stopping`, `peers`, `loop`. */
  readonly reasons: readonly string[];
  /** With `verbose`. */
  readonly node?: string;
  readonly loopDelay?: LoopDelay | undefined;
  readonly peers?: readonly PeerHealth[];
}

/** A peer as this node sees it. */
export interface PeerHealth {
  readonly node: string;
  readonly stalled: boolean;
  /** Undefined: it does not tell. */
  readonly loopDelay: LoopDelay | undefined;
}

/** Answers a request for `/livez` or `/readyz`; false: it is for something else, and was not touched. */
export type HealthHandler = (request: IncomingMessage, response: ServerResponse) => boolean;

const MAX_LOOP_DELAY_MS = 5000;
/** Peers that are asked for their event-loop delay, and for how long. */
const MAX_ASKED = 32;
const ASK_MS = 500;

/**
 * Answers probes of an orchestrator: `/livez` is 200 while the node runs, also while it stops; `/readyz` is 503 when it stops, has too few
 * peers, or its event loop was late. A process whose event loop is blocked does not answer at all: let the probe have a timeout.
 *
 * @param node what `startNode` returned.
 * @returns a handler for `node:http`, and for frameworks that pass its objects on.
 * @throws SNOW_ERR_BAD_OPTION.
 * @example
 * const health = healthHandler(node, { peers: 2 });
 * createServer((request, response) => health(request, response) || app(request, response));
 */
export function healthHandler(node: Node, options: HealthOptions = {}): HealthHandler {
  checkHost('healthHandler', node);
  checkOptionNames('healthHandler', options, HEALTH_OPTIONS);
  const { peers = 0, maxLoopDelay = MAX_LOOP_DELAY_MS, verbose = false } = options;
  checkFlag('healthHandler', 'verbose', verbose);
  checkPeers(peers);
  if (!(maxLoopDelay > 0)) throw bad('maxLoopDelay', maxLoopDelay, 'ms, more than 0');
  node.introspector.view.loopDelay(); // measures from now on
  const examine = { livez: () => liveness(node), readyz: () => readiness(node, peers, maxLoopDelay) };
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

function liveness(node: Node): string[] {
  return node.isStopped ? ['stopped'] : [];
}

function readiness(node: Node, wanted: number | readonly string[], maxLoopDelay: number): string[] {
  const reasons: string[] = [];
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

/** What is told with `verbose`. */
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
  throw bad('peers', peers, 'a whole number, or a list of full node names');
}

function bad(option: string, value: unknown, wanted: string): SnowmeshError {
  return new SnowmeshError(
    'SNOW_ERR_BAD_OPTION',
    `option ${option} is ${String(value)}; it must be ${wanted}`,
  );
}
