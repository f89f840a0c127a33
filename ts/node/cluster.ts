// The part of a named node that deals with other nodes: creates its components, and implements the cluster methods of Node.
import type { Native, NativeStats, OpenOptions } from '../../bindings/index.ts';
import type { Runtime } from '../actor/index.ts';
import type { SessionCounters } from '../introspect/index.ts';
import type { Pid, Ref } from '../term/index.ts';
import { DialReason } from '../wire/index.ts';
import { type Channel, type ChannelListener, Channels } from './channels.ts';
import { FrameDispatch } from './dispatch.ts';
import { DialPolicy } from './mesh/dial-policy.ts';
import { FollowedDiscovery } from './mesh/followed-discovery.ts';
import { Mesh } from './mesh/mesh.ts';
import type { NodeKind, PeerStats } from './node-events.ts';
import { NodeMonitors } from './node-monitors.ts';
import { fullName, type NodeName, parseNodeName } from './node-name.ts';
import type { AutoConnect, Limits, MeshMode, NodeDiscovery } from './options.ts';
import { PeerReports, type Tell } from './peer-reports.ts';
import { Reachability } from './reachability.ts';
import { Readiness, type ReadyOptions } from './readiness.ts';
import { Remote } from './remote.ts';
import { Routes } from './routes.ts';
import type { DialResult } from './session/end-causes.ts';
import { Network } from './session/network.ts';
import type { Session } from './session/session.ts';
import { WAITS_CHANNEL } from './signal-frames.ts';

export interface ClusterOptions {
  readonly native: Native;
  readonly name: NodeName;
  readonly open: OpenOptions;
  readonly runtime: Runtime;
  readonly limits: Limits;
  readonly autoConnect: AutoConnect;
  readonly mesh?: MeshMode;
}

export class Cluster {
  readonly name: string;
  readonly port: number;
  readonly incarnation: bigint;
  readonly remote: Remote;
  readonly reachability: Reachability;
  readonly monitors: NodeMonitors;
  readonly mesh: Mesh;
  readonly #channels: Channels;
  readonly #native: Native;
  readonly #network: Network;
  readonly #runtime: Runtime;
  readonly #policy: DialPolicy;
  readonly isHidden: boolean;
  readonly #reports: PeerReports;
  readonly #discovery: FollowedDiscovery;
  readonly #readiness: Readiness;
  #isClosing = false;

  constructor({ native, name, open, runtime, limits, autoConnect, mesh }: ClusterOptions) {
    this.#native = native;
    this.#runtime = runtime;
    this.isHidden = open.hidden === true;
    const policy = new DialPolicy(autoConnect);
    this.#policy = policy;
    const network = new Network({ native, limits, ownPid: (local) => runtime.pidOf(local) });
    this.#network = network;
    this.port = network.open(open);
    this.name = name.port === 0 ? fullName(name.local, name.host, this.port) : name.full;
    this.incarnation = network.incarnation;
    const routes = new Routes(this.name, network, policy);
    this.reachability = new Reachability(network);
    this.remote = new Remote({ name: this.name, network, routes, runtime, reachability: this.reachability });
    runtime.remote = this.remote;

    this.#channels = new Channels(
      (action) => runtime.guard(action),
      network.refs,
      (session, rule) => {
        this.mesh.block(session.identity.name);
        network.end(session, rule);
      },
    );
    this.#channels.open(WAITS_CHANNEL, {
      up: () => {},
      down: () => {},
      message: ({ nc }, probe) => runtime.rings.arrived(nc, probe),
    });
    this.monitors = new NodeMonitors({
      deliver: (to, notice) => runtime.deliverSystem(to, notice),
      makeRef: (owner) => runtime.makeRef(owner),
      follow: (pid) => runtime.onDeath(pid, () => this.monitors.release(pid)),
    });
    const after = (ms: number, action: () => void): (() => void) => runtime.after(ms, action);
    this.mesh = new Mesh({
      self: this.name,
      isUp: (peer) => network.peer(peer)?.session !== undefined,
      dial: async (peer, source) =>
        policy.mayDial(peer) ? this.#dial(parseNodeName(peer), REASONS[source]) : 'unreachable',
      now: () => runtime.now(),
      after,
      random: Math.random,
    });
    const found = (names: readonly string[]): void => this.mesh.found(names);
    this.#discovery = new FollowedDiscovery({ found, after, logger: runtime.logger });
    this.#readiness = new Readiness({
      nodes: () => this.nodes('visible'),
      canonical: (peer) => routes.canonical(peer),
      missing: () => this.mesh.missing,
      failure: (peer) => this.reachability.failure(peer)?.detail,
      after,
    });
    this.#reports = this.#listen(mesh === 'full' && policy.dials && !this.isHidden);
    native.ref(network.handle);
  }

  /** Sets where events for the node's listeners go. */
  announce(tell: Tell): void {
    this.#reports.announce(tell);
  }

  get isOpen(): boolean {
    return this.#network.isOpen && !this.#isClosing;
  }

  nodes(kind: NodeKind): string[] {
    const names: string[] = [];
    for (const session of this.#network.sessions()) {
      if (kind === 'all' || session.isHidden === (kind === 'hidden')) names.push(session.identity.name);
    }
    return names;
  }

  async connect(text: string): Promise<boolean> {
    const name = parseNodeName(text);
    this.mesh.unblock(name.full);
    return (await this.#dial(name)) === 'up';
  }

  /** Connects to the nodes that a discovery finds, from now on. Rejects with what `discovery.start` throws. */
  follow(discovery: NodeDiscovery): Promise<void> {
    const { local, host, port } = parseNodeName(this.name);
    return this.#discovery.start(discovery, this.isHidden ? undefined : { name: local, host, port });
  }

  ready(options: ReadyOptions): Promise<readonly string[]> {
    return this.#readiness.wait(options);
  }

  async disconnect(text: string): Promise<boolean> {
    const { full } = parseNodeName(text);
    this.mesh.block(full);
    const session = this.#network.peer(full)?.session;
    if (session === undefined) return false;
    await this.#reports.disconnect(session);
    return true;
  }

  /** Subscribes an actor to the ups and downs of all nodes, from now on. */
  subscribe(pid: Pid, withHidden: boolean): Ref {
    this.#runtime.losses.endAll();
    return this.monitors.subscribe(pid, withHidden);
  }

  watch(pid: Pid, text: string): Ref {
    const name = parseNodeName(text);
    this.#runtime.losses.endAll(); // otherwise the watch would fire for a session that ended before it
    const ref = this.monitors.watch(pid, name.full);
    // A known peer has a session or a dial, and the end of either fires the watch.
    if (name.full === this.name || this.#network.peer(name.full) !== undefined) return ref;
    if (this.#policy.mayDialOnUse(name.full) && name.port !== 0) this.#network.dial(name);
    else this.remote.later(() => this.monitors.fire(name.full, 'unreachable'));
    return ref;
  }

  channel(name: string, listener: ChannelListener): Channel {
    return this.#channels.open(name, listener);
  }

  peerStats(): PeerStats[] {
    return [...this.#network.sessions()].map(peerStatsOf);
  }

  /** Traffic counters of each session. O(peers). */
  sessionCounters(): SessionCounters[] {
    return [...this.#network.sessions()].map((session) => {
      const traffic = this.#native.sessionStats(this.#network.handle, session.id);
      return { ...peerStatsOf(session), ...(traffic ?? NO_TRAFFIC) };
    });
  }

  nativeStats(): NativeStats & { readonly id: number } {
    const { handle } = this.#network;
    return { ...this.#native.stats(handle), id: handle };
  }

  ref(): void {
    this.#native.ref(this.#network.handle);
  }

  unref(): void {
    this.#native.unref(this.#network.handle);
  }

  /** The node is stopping: it connects to no further node, and can be found no more. Its sessions stay up until `close`. */
  beginClose(): void {
    void this.#discovery.stop();
    this.#reports.close();
    this.mesh.stop();
    this.#readiness.close();
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    this.beginClose();
    await this.#discovery.stop();
    await this.#network.close();
    this.#runtime.losses.endAll();
  }

  /** @param isMeshed whether this node exchanges peer lists with visible peers and connects to the nodes in them. */
  #listen(isMeshed: boolean): PeerReports {
    const dispatch = new FrameDispatch({
      runtime: this.#runtime,
      channels: this.#channels,
      pid: this.#network.pid,
      refs: this.#network.refs,
      peersListed: (session, names) => {
        if (isMeshed && !session.isHidden) this.mesh.hinted(names, session.identity.name);
      },
      exceeded: (session, limit) => this.#network.end(session, `it exceeds a limit: ${limit}`),
    });
    const reports = new PeerReports({
      runtime: this.#runtime,
      network: this.#network,
      dispatch,
      channels: this.#channels,
      monitors: this.monitors,
      policy: this.#policy,
      mesh: this.mesh,
      readiness: this.#readiness,
      reachability: this.reachability,
      isMeshed,
    });
    this.#network.report(reports);
    return reports;
  }

  async #dial(name: NodeName, reason?: number): Promise<DialResult> {
    if (name.full === this.name || this.#network.peer(name.full)?.session !== undefined) return 'up';
    if (!this.#policy.dials || name.port === 0) return 'unreachable';
    this.remote.tellDue();
    return this.#network.dial(name, reason).dialled();
  }
}

function peerStatsOf(session: Session): PeerStats {
  return {
    node: session.identity.name,
    connection: session.serial,
    hidden: session.isHidden,
    dialled: session.dialled,
    stalled: session.isStalled,
    waiting: session.outgoing.waiting,
  };
}

/** Why the mesh dials a node, by where it has the name from. */
const REASONS = { found: DialReason.ASKED, lost: DialReason.LOST, hint: DialReason.HINTED };

/** The counters of a session that has just ended. */
const NO_TRAFFIC = { framesIn: 0, framesOut: 0, bytesIn: 0, bytesOut: 0, silentMs: 0 };
