// Finds the Outgoing that a signal to another node is written to: the one of the session, or the one that waits for a dial.
import type { NodeAddress } from '../actor/index.ts';
import type { Pid, Ref } from '../term/index.ts';
import type { DialPolicy } from './mesh/dial-policy.ts';
import { type NodeName, nodeNameOf } from './node-name.ts';
import { Identity } from './session/identities.ts';
import type { Network } from './session/network.ts';
import type { Outgoing } from './session/outgoing.ts';

/** Why there is no route: the incarnation of the target has ended, or its node cannot be reached. */
export type NoRoute = 'noproc' | 'noconnection';

/** Spellings of node names whose canonical form is cached. */
const MAX_SPELLINGS = 1024;

export class Routes {
  readonly #ownName: string;
  readonly #network: Network;
  readonly #policy: DialPolicy;
  readonly #spellings = new Map<string, NodeName | undefined>();

  constructor(ownName: string, network: Network, policy: DialPolicy) {
    this.#ownName = ownName;
    this.#network = network;
    this.#policy = policy;
  }

  /** The route to a PID; dials its node when there is no session. */
  to(pid: Pid): Outgoing | NoRoute {
    const { route } = pid;
    if (route instanceof Identity) return route.outgoing ?? this.#toIdentity(route);
    return this.toNumber(pid.nc);
  }

  /** The route to a node number; dials when there is no session. */
  toNumber(nc: number): Outgoing | NoRoute {
    const identity = this.#network.identities.of(nc);
    // An unknown number belongs to a stopped node of this process.
    return identity === undefined ? 'noproc' : (identity.outgoing ?? this.#toIdentity(identity));
  }

  /** The route to a node by name; dials when there is no session and the policy allows it. */
  toNode(node: string): Outgoing | NoRoute {
    const peer = this.#network.peer(node);
    if (peer?.session !== undefined) return peer.session.outgoing;
    const name = this.#parse(node);
    if (name === undefined || !this.#network.isOpen || name.full === this.#ownName || name.port === 0)
      return 'noconnection';
    const known = this.#network.peer(name.full);
    if (known?.session !== undefined) return known.session.outgoing;
    if (!known?.request && !this.#policy.mayDialOnUse(name.full)) return 'noconnection';
    return this.#network.pendingOutgoing(this.#network.dial(name));
  }

  /** The Outgoing of the session, or the one that waits for a dial. Does not dial: for frames that only an existing connection needs. */
  existing(to: Pid | NodeAddress | Ref): Outgoing | undefined {
    if (!('nc' in to)) {
      const peer = this.#network.peer(to.node) ?? this.#network.peer(this.canonical(to.node));
      return peer?.session?.outgoing ?? peer?.pendingOutgoing;
    }
    const route = 'route' in to ? to.route : undefined;
    const identity = route instanceof Identity ? route : this.#network.identities.of(to.nc);
    return identity?.outgoing ?? (identity && this.#network.peer(identity.name)?.pendingOutgoing);
  }

  isSelf(node: string): boolean {
    return node === this.#ownName || this.#parse(node)?.full === this.#ownName;
  }

  /** The canonical form of a node's name; any other text stays as it is. */
  canonical(node: string): string {
    return this.#parse(node)?.full ?? node;
  }

  #toIdentity(identity: Identity): Outgoing | NoRoute {
    // An identity with this node's own name is an earlier incarnation of this node.
    if (identity.name === this.#ownName) return 'noproc';
    // If its name has a session, that is to another incarnation, unless this number was forgotten before the node connected.
    const session = this.#network.peer(identity.name)?.session;
    if (session === undefined) return this.toNode(identity.name);
    return session.identity.incarnation === identity.incarnation ? session.outgoing : 'noproc';
  }

  #parse(node: string): NodeName | undefined {
    if (this.#spellings.has(node)) return this.#spellings.get(node);
    const name = nodeNameOf(node);
    if (this.#spellings.size >= MAX_SPELLINGS) this.#spellings.clear();
    this.#spellings.set(node, name);
    return name;
  }
}
