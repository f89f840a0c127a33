// Reports what happens to sessions to the actors and listeners of this node, in a guaranteed order: nodeup before the
// first message of a peer; links, monitors, calls and spawns of a lost node before its nodedown (L4, L5, O1).
import type { Runtime } from '../actor/index.ts';
import { ThrottledLog } from '../kernel/index.ts';
import type { Channels } from './channels.ts';
import type { FrameDispatch } from './dispatch.ts';
import type { DialPolicy } from './mesh/dial-policy.ts';
import type { Mesh } from './mesh/mesh.ts';
import { writePeerLists } from './mesh/peer-list.ts';
import type { NodeEvents } from './node-events.ts';
import type { NodeFacts, NodeMonitors } from './node-monitors.ts';
import { inWords, type Reachability } from './reachability.ts';
import type { Readiness } from './readiness.ts';
import type { DialResult, DownCause } from './session/end-causes.ts';
import type { EntryReader } from './session/entry-reader.ts';
import type { Network } from './session/network.ts';
import type { NetworkListener, Refusal } from './session/network-listener.ts';
import type { Session } from './session/session.ts';

/** Failures that are normal while nodes start and stop: they are logged at level debug. */
const USUAL_FAILURES: ReadonlySet<DialResult> = new Set([
  'refused',
  'unreachable',
  'timeout',
  'stopping',
  'dns', // logged apart, as a warning
]);

/** Ends of sessions that a node asked for: they are logged at level info. */
const ASKED_FOR: ReadonlySet<DownCause> = new Set(['goodbye', 'disconnect', 'stopping']);

const NAMESAKE =
  "another node has this node's name and is connected to the same peer; each node needs a name of its own";

/** Reports an event to the listeners of the node. */
export type Tell = <E extends keyof NodeEvents>(event: E, ...args: NodeEvents[E]) => void;

/** What PeerReports reports to. */
export interface PeerReportsOptions {
  readonly runtime: Runtime;
  readonly network: Network;
  readonly dispatch: FrameDispatch;
  readonly channels: Channels;
  readonly monitors: NodeMonitors;
  readonly policy: DialPolicy;
  readonly mesh: Mesh;
  readonly readiness: Readiness;
  readonly reachability: Reachability;
  /** Whether visible peers get lists of each other. */
  readonly isMeshed: boolean;
}

export class PeerReports implements NetworkListener {
  readonly #runtime: Runtime;
  readonly #network: Network;
  readonly #dispatch: FrameDispatch;
  readonly #channels: Channels;
  readonly #monitors: NodeMonitors;
  readonly #policy: DialPolicy;
  readonly #mesh: Mesh;
  readonly #readiness: Readiness;
  readonly #reachability: Reachability;
  readonly #isMeshed: boolean;
  /** Called when a session has ended and its links, monitors, calls and spawns have fired. */
  readonly #disconnectWaiters = new Map<Session, (() => void)[]>();
  readonly #log: ThrottledLog;
  #tell: Tell = () => {};
  #isClosing = false;

  constructor(options: PeerReportsOptions) {
    const { runtime } = options;
    this.#log = new ThrottledLog(runtime);
    this.#runtime = options.runtime;
    this.#network = options.network;
    this.#dispatch = options.dispatch;
    this.#channels = options.channels;
    this.#monitors = options.monitors;
    this.#policy = options.policy;
    this.#mesh = options.mesh;
    this.#readiness = options.readiness;
    this.#reachability = options.reachability;
    this.#isMeshed = options.isMeshed;
  }

  /** Sets where events for the node's listeners go. */
  announce(tell: Tell): void {
    this.#tell = tell;
  }

  /** The node is stopping: lost peers are not dialled again. */
  close(): void {
    this.#isClosing = true;
  }

  /** Ends a session. Resolves when it is down and its links, monitors, calls and spawns have fired. */
  disconnect(session: Session): Promise<void> {
    return new Promise((resolve) => {
      const waiters = this.#disconnectWaiters.get(session);
      if (waiters !== undefined) return void waiters.push(resolve);
      this.#disconnectWaiters.set(session, [resolve]);
      this.#network.hangup(session);
    });
  }

  sessionUp(session: Session): void {
    const { name } = session.identity;
    this.#runtime.losses.endAll();
    this.#mesh.up(name);
    this.#policy.up(name);
    this.#reachability.up(name);
    if (this.#isMeshed && !session.isHidden) this.#tellPeers(session);
    this.#channels.up(session);
    this.#monitors.up(name, factsOf(session));
    this.#runtime.arrivals.up(name);
    const facts = { event: 'peer_up', node: name, hidden: session.isHidden };
    this.#log.write('info', facts, 'a peer is connected', name);
    this.#tell('nodeup', name, factsOf(session));
    this.#readiness.changed();
  }

  sessionDown(session: Session, cause: DownCause, detail: string): void {
    const { name, nc } = session.identity;
    this.#policy.down(name);
    this.#reachability.failed(name, cause, detail);
    const loss = this.#runtime.losses.begin(nc, name);
    this.#channels.down(session); // names are free before an actor sees its DOWN
    loss.whenOver(() => this.#lost(session, cause, detail));
  }

  /** Called when the links, monitors, calls and spawns of a lost session have fired. */
  #lost(session: Session, cause: DownCause, detail: string): void {
    const { name } = session.identity;
    this.#monitors.down(name, cause, factsOf(session));
    this.#logEnd(session, cause, detail);
    this.#tell('nodedown', name, cause, factsOf(session));
    if (!this.#policy.reconnects) this.#mesh.block(name);
    else if (!this.#isClosing)
      this.#mesh.down(name, cause, session.network, this.#isMeshed && !session.isHidden);
    const waiters = this.#disconnectWaiters.get(session);
    this.#disconnectWaiters.delete(session);
    for (const resolve of waiters ?? []) resolve();
  }

  #logEnd(session: Session, cause: DownCause, detail: string): void {
    const { name } = session.identity;
    const facts = { event: 'peer_down', node: name, cause };
    if (cause === 'displaced') this.#log.write('error', facts, NAMESAKE);
    else if (cause === 'protocol')
      this.#log.write('error', { ...facts, detail }, 'a peer broke the protocol', name);
    else {
      // A tool that runs for a moment is a hidden node.
      const isUsual = ASKED_FOR.has(cause) || session.isHidden || this.#isClosing;
      const end = { ...facts, detail: inWords(cause, detail) };
      this.#log.write(isUsual ? 'info' : 'warn', end, 'the connection to a peer has ended', name);
    }
  }

  frame(session: Session, tag: number, reader: EntryReader): void {
    this.#dispatch.frame(session, tag, reader);
  }

  batchEnd(): void {
    this.#runtime.runSlice();
  }

  peerLoop(session: Session, stalled: boolean, ageMs: number): void {
    const { name } = session.identity;
    this.#monitors.loop(name, stalled, { ageMs, hidden: session.isHidden });
    const facts = { event: stalled ? 'peer_stalled' : 'peer_recovered', node: name, ageMs };
    if (stalled)
      this.#log.write(session.isHidden ? 'info' : 'warn', facts, 'the event loop of a peer is blocked', name);
    else this.#log.write('info', facts, 'the event loop of a peer runs again', name);
    if (stalled) this.#tell('stalled', name, ageMs);
    else this.#tell('recovered', name);
  }

  busy(session: Session, bytes: number): void {
    this.#tell('busy', session.identity.name, bytes);
  }

  writable(session: Session): void {
    this.#tell('drain', session.identity.name);
  }

  dialFailed(
    name: string,
    result: Exclude<DialResult, 'up'>,
    detail: string,
    numbers: Iterable<number>,
  ): void {
    this.#reachability.failed(name, result, detail);
    let loss = this.#runtime.losses.begin(-1, name);
    for (const nc of numbers) loss = this.#runtime.losses.begin(nc, name);
    loss.whenOver(() => {
      this.#monitors.fire(name, result);
      this.#logFailure(name, result, detail);
      this.#tell('unreachable', name, result, detail);
    });
  }

  #logFailure(name: string, result: DialResult, detail: string): void {
    if (result === 'name_taken') this.#log.write('error', { event: 'name_taken', node: name }, NAMESAKE);
    if (result === 'dns')
      this.#log.write(
        'warn',
        { event: 'dns_failed', node: name, detail },
        'the host of a node could not be looked up',
      );
    const facts = { event: 'dial_failed', node: name, result, detail };
    if (USUAL_FAILURES.has(result)) this.#runtime.logger.debug(facts, 'could not connect');
    else this.#log.write('warn', facts, 'could not connect'); // lists of peers can name many such nodes
  }

  lostMessages(node: string, count: number): void {
    this.#runtime.deadLetters.count('noconnection', node, count);
  }

  refused({ name, address, reason, why, unreported }: Refusal): void {
    const fields = {
      event: 'peer_refused',
      node: name,
      ...(address === '' ? {} : { address }),
      why,
      reason,
      ...(unreported === 0 ? {} : { unreported }),
    };
    // Two live nodes with one name are a mistake of the operator: an error. Any program on the network can cause the others.
    this.#log.write(why === 'name_taken' ? 'error' : 'warn', fields, 'refused a peer', why);
    this.#tell('refused', name, reason, why);
  }

  fault(error: unknown): void {
    this.#log.write('error', { event: 'frame_failed', err: error }, 'a frame could not be handled');
  }

  /** Sends the names of all other visible peers to a new one. */
  #tellPeers(session: Session): void {
    const names: string[] = [];
    for (const other of this.#network.sessions())
      if (!other.isHidden && other.identity.name !== session.identity.name) names.push(other.identity.name);
    writePeerLists(session.outgoing, names);
  }
}

function factsOf(session: Session): NodeFacts {
  return { connection: session.serial, incarnation: session.identity.incarnation, hidden: session.isHidden };
}
