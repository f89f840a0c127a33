// Polls one node of the cluster, with at most one pending request, and keeps its last answer.
import type { CrashInfo, Introspection, NodeOverview, SessionInfo } from '../introspect/index.ts';
import type { Node } from '../node/index.ts';

const TIMEOUT_MS = 3000;

/** A session with a peer. The rates are in bytes per second, undefined while unknown. */
export interface PolledSession {
  readonly peer: string;
  readonly isStalled: boolean;
  /** Bytes that wait to be sent to the peer. */
  readonly waiting: number;
  readonly bytesIn: number | undefined;
  readonly bytesOut: number | undefined;
}

/** The last known state of one node. */
export interface NodeStatus {
  readonly node: string;
  /** `silent`: it did not answer in time. `off`: its introspection is turned off. `lost`: it is not connected any more. */
  readonly state: 'up' | 'silent' | 'off' | 'lost';
  readonly overview?: NodeOverview;
  readonly sessions?: readonly PolledSession[];
}

export class NodePoll {
  readonly name: string;
  readonly #node: Node;
  /** Kept between polls, since a view computes rates from its second answer on. */
  #view: Introspection | undefined;
  readonly #crashed: (node: string, crashes: readonly CrashInfo[]) => void;
  #asked: Promise<void> | undefined;
  #status: NodeStatus | undefined;
  /** The id of the last known crash, and the start time of its node: a restarted node counts from 1 again. */
  #crashes = 0;
  #startedAt = 0;
  /** Its visible peers. */
  peers: readonly string[] = [];

  constructor(node: Node, name: string, crashed: (node: string, crashes: readonly CrashInfo[]) => void) {
    this.name = name;
    this.#node = node;
    this.#crashed = crashed;
  }

  /** The state after the last poll; undefined before the first has ended. */
  get status(): NodeStatus | undefined {
    return this.#status;
  }

  /** Whether a poll is pending, or the last one had no answer: the next may have none either. */
  get isSlow(): boolean {
    const state = this.#status?.state ?? 'up';
    return this.#asked !== undefined || state !== 'up';
  }

  /** Polls the node, unless a poll is pending. Resolves when the node has answered, or has not answered in time. */
  ask(): Promise<void> {
    this.#asked ??= this.#look()
      .then((status) => void (this.#status = status))
      .finally(() => {
        this.#asked = undefined;
      });
    return this.#asked;
  }

  async #look(): Promise<NodeStatus> {
    const { name: node } = this;
    try {
      // Only a hidden node, such as the `snowmesh` command, connects to nodes that are not connected.
      const isConnected = node === this.#node.name || this.#node.nodes('all').includes(node);
      if (!isConnected && !(this.#node.isHidden && (await this.#node.connect(node))))
        return { node, state: 'lost' };
      const view = (this.#view ??= this.#node.introspect(node, { timeout: TIMEOUT_MS }));
      const [overview, sessions] = await Promise.all([view.overview(), view.sessions()]);
      const visible = sessions.filter(({ hidden }) => !hidden);
      this.peers = visible.map((session) => session.node);
      await this.#readCrashes(view, overview);
      return { node, state: 'up', overview, sessions: visible.map(polled) };
    } catch (error) {
      const { reason } = (error as { details?: { reason?: unknown } }).details ?? {};
      return { node, state: reason === 'off' ? 'off' : reason === 'nodedown' ? 'lost' : 'silent' };
    }
  }

  /** Reads the new crashes of a node, if its counter says that there are any. */
  async #readCrashes(view: Introspection, { crashes, clock, uptimeMs }: NodeOverview): Promise<void> {
    const startedAt = clock - uptimeMs;
    if (crashes < this.#crashes || Math.abs(startedAt - this.#startedAt) > TIMEOUT_MS) this.#crashes = 0;
    this.#startedAt = startedAt;
    if (crashes === this.#crashes) return;
    const { items } = await view.crashes({ after: this.#crashes });
    this.#crashes = items.at(-1)?.id ?? crashes;
    if (items.length > 0) this.#crashed(this.name, items);
  }
}

function polled({ node, stalled, waiting, rates }: SessionInfo): PolledSession {
  return { peer: node, isStalled: stalled, waiting, bytesIn: rates?.bytesIn, bytesOut: rates?.bytesOut };
}
