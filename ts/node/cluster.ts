// The half of a named node that deals with other nodes: it hears from the network, keeps the order in which news
// reach actors (nodeup, messages, links and monitors, nodedown: L4, L5, O1), and carries out connect and disconnect.
import type { Native, NativeStats, OpenOptions } from '../../bindings/index.ts';
import type { Runtime } from '../actor/index.ts';
import type { Pid, Ref } from '../term/index.ts';
import { type Channel, type ChannelListener, Channels } from './channels.ts';
import { DialPolicy } from './dial-policy.ts';
import { Dispatch } from './dispatch.ts';
import type { EntryReader } from './entry-reader.ts';
import { PEER_LIST } from './frame-tag.ts';
import { Mesh, type MeshMode } from './mesh.ts';
import { Network, type NetworkListener } from './network.ts';
import type { NodeEvents, NodeKind, PeerStats } from './node.ts';
import { type NodeFacts, NodeMonitors } from './node-monitors.ts';
import { type NodeName, parseNodeName, withPort } from './node-name.ts';
import type { AutoConnect, Limits, NodeDiscovery } from './options.ts';
import type { DialResult, Peer } from './peer.ts';
import { Readiness, type ReadyOptions } from './readiness.ts';
import { Remote } from './remote.ts';
import type { DownCause, Session } from './session.ts';

export interface ClusterOptions {
  readonly native: Native;
  readonly name: NodeName;
  readonly open: OpenOptions;
  readonly runtime: Runtime;
  readonly limits: Limits;
  readonly autoConnect: AutoConnect;
  readonly mesh?: MeshMode;
}

/** Names in one PEER_LIST frame; of a longer one the first are read (T14). */
const MAX_LISTED = 512;
/** A discovery that takes longer to stop is left behind. Unit: ms. */
const DISCOVERY_STOP_MS = 5000;

type Tell = <E extends keyof NodeEvents>(event: E, ...args: NodeEvents[E]) => void;

export class Cluster implements NetworkListener {
  readonly name: string;
  readonly port: number;
  readonly incarnation: bigint;
  readonly remote: Remote;
  readonly monitors: NodeMonitors;
  readonly #channels: Channels;
  readonly #native: Native;
  readonly #network: Network;
  readonly #dispatch: Dispatch;
  readonly #runtime: Runtime;
  readonly #policy: DialPolicy;
  readonly #isHidden: boolean;
  /** Whether we tell peers of each other, and listen to what they tell. */
  readonly #isMeshed: boolean;
  readonly mesh: Mesh;
  readonly #readiness: Readiness;
  /** Those who wait for the end of a session. */
  readonly #farewells = new Map<Session, (() => void)[]>();
  #tell: Tell = () => {};
  #discovery: NodeDiscovery | undefined;
  #isClosing = false;

  constructor({ native, name, open, runtime, limits, autoConnect, mesh }: ClusterOptions) {
    this.#native = native;
    this.#runtime = runtime;
    this.#policy = new DialPolicy(autoConnect);
    this.#isHidden = open.hidden === true;
    this.#isMeshed = mesh === 'full' && this.#policy.dials && !this.#isHidden;
    this.#network = new Network({
      native,
      limits,
      listener: this,
      pidOf: (nc, id) => this.#dispatch.pid(nc, id),
    });
    this.#channels = new Channels((action) => runtime.guard(action));
    this.#dispatch = new Dispatch(runtime, this.#network.identities, this.#channels);
    this.monitors = new NodeMonitors({
      deliver: (to, notice) => runtime.deliverSystem(to, notice),
      makeRef: (owner) => runtime.makeRef(owner),
      follow: (pid) => runtime.onDeath(pid, () => this.monitors.release(pid)),
    });
    this.port = this.#network.open(open);
    const full = name.port === 0 ? withPort(name, this.port) : name;
    this.name = full.full;
    this.incarnation = this.#network.incarnation;
    this.remote = new Remote({ name: full, network: this.#network, runtime, policy: this.#policy });
    runtime.remote = this.remote;
    const after = (ms: number, action: () => void): (() => void) => runtime.after(ms, action);
    this.mesh = new Mesh({
      self: this.name,
      isUp: (peer) => this.#network.peer(peer)?.session !== undefined,
      dial: async (peer) => (this.#policy.mayDial(peer) ? this.#dial(parseNodeName(peer)) : 'unreachable'),
      now: () => runtime.now(),
      after,
      random: Math.random,
    });
    this.#readiness = new Readiness({
      nodes: () => this.nodes('visible'),
      canonical: (peer) => this.remote.canonical(peer),
      missing: () => this.mesh.missing,
      after,
    });
    native.ref(this.#network.handle);
  }

  /** Where to report events for the node's own listeners. */
  announce(tell: Tell): void {
    this.#tell = tell;
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
    this.mesh.welcome(name.full);
    return (await this.#dial(name)) === 'up';
  }

  /** Connects to what a discovery finds, from now on. What it throws at its start comes through. */
  async follow(discovery: NodeDiscovery): Promise<void> {
    const listener = {
      found: (names: readonly string[]) => this.mesh.found(names),
      failed: (error: unknown) => this.#runtime.logger.warn({ err: error }, 'a discovery failed'),
    };
    const { local, host, port } = parseNodeName(this.name);
    await discovery.start(listener, this.#isHidden ? undefined : { name: local, host, port });
    this.#discovery = discovery; // one that did not start may be another node's: it is not ours to stop
  }

  ready(options: ReadyOptions): Promise<readonly string[]> {
    return this.#readiness.wait(options);
  }

  disconnect(text: string): Promise<boolean> {
    this.mesh.shun(this.remote.canonical(text));
    const session = this.#network.peer(parseNodeName(text).full)?.session;
    if (session === undefined) return Promise.resolve(false);
    return new Promise((resolve) => {
      const waiting = this.#farewells.get(session);
      if (waiting !== undefined) return void waiting.push(() => resolve(true));
      this.#farewells.set(session, [() => resolve(true)]);
      this.#network.hangup(session);
    });
  }

  /** Subscribes to all nodes, from now on. */
  subscribe(pid: Pid, withHidden: boolean): Ref {
    this.#runtime.inbound.endLosses();
    return this.monitors.subscribe(pid, withHidden);
  }

  watch(pid: Pid, text: string): Ref {
    const name = parseNodeName(text);
    this.#runtime.inbound.endLosses(); // the end of a former session is not what it asks for
    const ref = this.monitors.watch(pid, name.full);
    // A peer there is has a session or a dial, and the end of either tells.
    if (name.full === this.name || this.#network.peer(name.full) !== undefined) return ref;
    if (this.#policy.mayDialOnUse(name.full) && name.port !== 0) this.#network.dial(name);
    else queueMicrotask(() => this.monitors.fire(name.full, 'unreachable'));
    return ref;
  }

  channel(name: string, listener: ChannelListener): Channel {
    return this.#channels.open(name, listener);
  }

  peerStats(): PeerStats[] {
    return [...this.#network.sessions()].map((session) => ({
      node: session.identity.name,
      connection: session.serial,
      hidden: session.isHidden,
      dialled: session.dialled,
      stalled: session.isStalled,
      waiting: session.outgoing.waiting,
    }));
  }

  nativeStats(): NativeStats {
    return this.#native.stats(this.#network.handle);
  }

  ref(): void {
    this.#native.ref(this.#network.handle);
  }

  unref(): void {
    this.#native.unref(this.#network.handle);
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    this.mesh.stop();
    this.#readiness.close();
    if (this.#discovery !== undefined) await this.#stopDiscovery(this.#discovery);
    await this.#network.close();
    this.#runtime.inbound.endLosses();
  }

  async #stopDiscovery(discovery: NodeDiscovery): Promise<void> {
    let cancel = (): void => {};
    const late = new Promise((_resolve, reject) => {
      const error = new Error(`it has not stopped after ${DISCOVERY_STOP_MS} ms`);
      cancel = this.#runtime.after(DISCOVERY_STOP_MS, () => reject(error));
    });
    try {
      await Promise.race([discovery.stop(), late]);
    } catch (error) {
      this.#runtime.logger.warn({ err: error }, 'a discovery could not be stopped');
    }
    cancel();
  }

  sessionUp(session: Session): void {
    const { name } = session.identity;
    this.#runtime.inbound.endLosses();
    this.mesh.up(name);
    this.#policy.up(name);
    if (this.#isMeshed && !session.isHidden) this.#tellPeers(session);
    this.#channels.up(session);
    this.monitors.up(name, factsOf(session));
    this.#tell('nodeup', name, factsOf(session));
    this.#readiness.changed();
  }

  sessionDown(session: Session, cause: DownCause, detail: string): void {
    const { name, nc } = session.identity;
    this.#policy.down(name);
    const loss = this.#runtime.inbound.nodeLost(nc, name);
    this.#channels.down(session); // names are free before an actor sees its DOWN
    loss.whenOver(() => this.#lost(session, cause, detail));
  }

  /** Everything tied to the node has heard of it. */
  #lost(session: Session, cause: DownCause, detail: string): void {
    const { name } = session.identity;
    this.monitors.down(name, cause, factsOf(session));
    if (cause === 'protocol') this.#runtime.logger.error({ node: name, detail }, 'a peer broke the protocol');
    this.#tell('nodedown', name, cause, factsOf(session));
    if (!this.#policy.reconnects) this.mesh.shun(name);
    else if (!this.#isClosing) this.mesh.down(name, cause, this.#isMeshed && !session.isHidden);
    const waiting = this.#farewells.get(session);
    this.#farewells.delete(session);
    for (const resolve of waiting ?? []) resolve();
  }

  frame(session: Session, tag: number, reader: EntryReader): void {
    if (tag === PEER_LIST) return this.#heardPeers(session, reader);
    this.#dispatch.frame(session, tag, reader);
  }

  batchEnd(): boolean {
    return this.#runtime.runSlice();
  }

  peerLoop(session: Session, stalled: boolean, ageMs: number): void {
    const { name } = session.identity;
    this.monitors.loop(name, stalled, { ageMs, hidden: session.isHidden });
    if (stalled) this.#tell('stalled', name, ageMs);
    else this.#tell('recovered', name);
  }

  busy(session: Session, bytes: number): void {
    this.#tell('busy', session.identity.name, bytes);
  }

  writable(session: Session): void {
    this.#tell('drain', session.identity.name);
  }

  async #dial(name: NodeName): Promise<DialResult> {
    if (name.full === this.name || this.#network.peer(name.full)?.session !== undefined) return 'up';
    if (!this.#policy.dials || name.port === 0) return 'unreachable';
    return this.#network.dial(name).dialled();
  }

  /** Tells a new peer of the visible others. */
  #tellPeers(session: Session): void {
    const names = this.nodes('visible').filter((name) => name !== session.identity.name);
    for (let at = 0; at < names.length; at += MAX_LISTED) {
      const listed = names.slice(at, at + MAX_LISTED);
      session.outgoing.signal(0, PEER_LIST, (frame) => {
        frame.u16(listed.length);
        for (const name of listed) frame.name(name);
      });
    }
  }

  #heardPeers(session: Session, reader: EntryReader): void {
    if (!this.#isMeshed || session.isHidden) return;
    const names: string[] = [];
    for (let left = Math.min(reader.u16(), MAX_LISTED); left > 0; left--) names.push(reader.name());
    this.mesh.hinted(names);
  }

  dialFailed(peer: Peer, result: DialResult, detail: string, numbers: Iterable<number>): void {
    const name = peer.name.full;
    const level =
      result === 'unreachable' || result === 'timeout' || result === 'stopping' ? 'debug' : 'warn';
    this.#runtime.logger[level]({ node: name, result, detail }, 'could not connect');
    let loss = this.#runtime.inbound.nodeLost(-1, name);
    for (const nc of numbers) loss = this.#runtime.inbound.nodeLost(nc, name);
    loss.whenOver(() => this.monitors.fire(name, result));
  }

  lostMessages(node: string, count: number): void {
    this.#runtime.deadLetters.count('noconnection', node, count);
  }

  refused(name: string, reason: string): void {
    this.#runtime.logger.warn({ node: name, reason }, 'refused a peer');
    this.#tell('refused', name, reason);
  }

  fault(error: unknown): void {
    this.#runtime.logger.error({ err: error }, 'a frame could not be handled');
  }
}

function factsOf(session: Session): NodeFacts {
  return { connection: session.serial, incarnation: session.identity.incarnation, hidden: session.isHidden };
}
