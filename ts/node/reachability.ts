// Remembers why nodes cannot be reached, for error texts and `connectFailure`.
import type { Unreachable } from '../actor/index.ts';
import { OldestFirst } from '../collections/index.ts';
import { nodeNameOf } from './node-name.ts';
import type { DialResult, DownCause } from './session/end-causes.ts';
import type { Network } from './session/network.ts';

/** Names whose last failure is remembered. Above it, the one that failed longest ago is forgotten. */
export const MAX_FAILURES = 1024;

/** Why there is no connection to a node. */
export type ConnectFailureReason =
  | Exclude<DialResult, 'up'>
  | DownCause
  | 'not_a_node_name'
  | 'no_name_of_our_own'
  | 'not_dialled';

/** How the last attempt to reach a node failed, or how the last connection to it ended. */
export interface ConnectFailure {
  readonly why: ConnectFailureReason;
  /** The same in words, with what the system or the peer said. */
  readonly detail: string;
}

const SENTENCES: Readonly<Partial<Record<ConnectFailureReason, string>>> = {
  refused: 'nothing listens at its address, or that cannot be reached',
  dns: 'its host could not be looked up',
  timeout: 'no answer came in time',
  cookie: 'it has another cookie',
  incompatible: 'it runs an incompatible version of snowmesh',
  wrong_name: 'a node with another name answers at its address',
  name_taken: "another node has this node's name and is connected there",
  duplicate: 'it reported a connection of its own to this node, which never arrived',
  stopping: 'this node or that one is stopping',
  not_a_node_name: 'its name is not a node name (name@host:port)',
  no_name_of_our_own: 'this node was started without a name and can reach no other',
  not_dialled:
    'this node is not connected to it and does not dial it by itself (autoConnect, or port 0 in its name)',
  unreachable: 'the connection ended as soon as it was made',
  closed: 'the connection was lost',
  goodbye: 'it has stopped',
  disconnect: 'it was disconnected',
  replaced: 'it was restarted, or had lost the connection',
  protocol: 'it broke the protocol',
  overflow: 'it did not read its messages: more was waiting for it than outbox.limit allows',
  displaced: "another node with this node's name connected to it",
};

export const NO_NAME: ConnectFailure = failure('no_name_of_our_own', '');

/** A failure in words, with what the system or the peer said. */
export function inWords(why: ConnectFailureReason, detail: string): string {
  const parts = [SENTENCES[why], detail].filter((part) => part !== undefined && part !== '');
  return parts.length === 0 ? why : parts.join(': ');
}

export class Reachability {
  readonly #network: Network;
  readonly #failures = new OldestFirst<string, ConnectFailure>();

  constructor(network: Network) {
    this.#network = network;
  }

  /** A dial failed, or a session ended. */
  failed(name: string, why: ConnectFailureReason, detail: string): void {
    this.#failures.renew(name, failure(why, detail));
    if (this.#failures.size > MAX_FAILURES) this.#failures.takeOldest();
  }

  up(name: string): void {
    this.#failures.delete(name);
  }

  /** How the last attempt to reach a name failed; undefined when there was none, or it succeeded. */
  failure(name: string): ConnectFailure | undefined {
    return this.#failures.get(name);
  }

  /** Why a node is not connected; undefined when it is. */
  whyDown(node: number | string): (ConnectFailure & Unreachable) | undefined {
    const name = this.#nameOf(node);
    if (name === undefined) return typeof node === 'string' ? failure('not_a_node_name', '') : undefined;
    if (this.#network.peer(name)?.session !== undefined) return undefined;
    return this.#failures.get(name) ?? failure('not_dialled', '');
  }

  /** ms for which the event loop of a connected node has been blocked; undefined when it is not known to be. */
  stalledMs(node: number | string): number | undefined {
    const name = this.#nameOf(node);
    const session = name === undefined ? undefined : this.#network.peer(name)?.session;
    return session?.isStalled ? performance.now() - session.stalledSince : undefined;
  }

  #nameOf(node: number | string): string | undefined {
    return typeof node === 'string' ? nodeNameOf(node)?.full : this.#network.identities.of(node)?.name;
  }
}

function failure(why: ConnectFailureReason, detail: string): ConnectFailure {
  return { why, detail: inWords(why, detail) };
}
