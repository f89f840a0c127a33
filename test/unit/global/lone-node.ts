// One node whose peers a test speaks for by hand: it says when a peer connects, what it sends, and when it is lost.
import type { Channel, ChannelListener, ChannelPeer } from '../../../ts/node/index.ts';
import { startTestRuntime, type TestRuntime } from '../../../ts/testing/index.ts';

export class LoneNode {
  readonly name = 'me@fake:1';
  readonly kit: TestRuntime = startTestRuntime();
  readonly isHidden = false;
  readonly isListening = true;
  readonly isStopping = false;
  /** What was sent to peers: the connection, and the message or the room of a broadcast. */
  readonly sent: (readonly [connection: number, value: unknown])[] = [];
  /** The room in the outbox of a peer, as `Channel.whenWritable` tells it. */
  whenWritable: (peer: ChannelPeer) => Promise<void> | undefined = () => undefined;
  #listener: ChannelListener | undefined;
  readonly #peers = new Map<string, ChannelPeer>();
  #connections = 0;

  get runtime(): TestRuntime['runtime'] {
    return this.kit.runtime;
  }

  channel(_name: string, listener: ChannelListener): Channel {
    this.#listener = listener;
    const isUp = (peer: ChannelPeer): boolean => this.#peers.get(peer.node) === peer;
    const sendAll = (peers: Iterable<ChannelPeer>, value: unknown): ChannelPeer[] => {
      const all = [...peers];
      for (const { connection } of all.filter(isUp)) this.sent.push([connection, value]);
      return all.filter((peer) => !isUp(peer));
    };
    return {
      peers: () => this.#peers.values(),
      peer: (node) => this.#peers.get(node),
      send: (peer, value) => void sendAll([peer], value),
      whenWritable: (peer) => this.whenWritable(peer),
      broadcast: sendAll,
      broadcastRoom: (peers, room) => sendAll(peers, room),
      end: () => {},
      close: () => void (this.#listener = undefined),
    };
  }

  /** A peer connects, and says this first. `nc`: the number of its incarnation. */
  up(node: string, nc: number, ...said: readonly unknown[][]): ChannelPeer {
    const peer = { node, nc, hidden: false, connection: ++this.#connections, incarnation: BigInt(nc) };
    this.#peers.set(node, peer);
    this.#listener?.up(peer);
    for (const value of said) this.say(peer, value);
    return peer;
  }

  say(peer: ChannelPeer, value: unknown): void {
    this.#listener?.message(peer, value);
  }

  /** A peer broadcasts into a room. */
  broadcast(peer: ChannelPeer, room: string, payload: Uint8Array, details: unknown): void {
    this.#listener?.room?.(peer, room, payload, details);
  }

  down(peer: ChannelPeer): void {
    this.#peers.delete(peer.node);
    this.#listener?.down(peer);
  }
}
