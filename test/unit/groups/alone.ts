// Groups of one node, whose only peer a test speaks for.
import type { Runtime } from '../../../ts/actor/index.ts';
import { type Groups, type GroupsOptions, startGroups } from '../../../ts/groups/index.ts';
import type { Channel, ChannelListener, ChannelPeer } from '../../../ts/node/index.ts';

export interface Alone {
  readonly groups: Groups;
  readonly peer: ChannelPeer;
  /** The names of the channels that were opened. */
  readonly channels: string[];
  /** What the peer was sent. */
  readonly sent: unknown[];
  /** Whether the outbox of the peer takes no broadcast, and whether its session has ended. */
  readonly full: { now: boolean; isLost: boolean };
  /** The peer says this. */
  say(value: unknown): void;
  /** The session of the peer ends. */
  down(): void;
  /** How often the channel was closed. */
  closed(): number;
}

export function alone(runtime: Runtime, hidden = false, options: GroupsOptions = {}): Alone {
  const sent: unknown[] = [];
  const channels: string[] = [];
  const full = { now: false, isLost: false };
  const peer: ChannelPeer = { node: 'p@fake:1', nc: 256, hidden, connection: 1, incarnation: 1n };
  let listener: ChannelListener | undefined;
  let closed = 0;
  const channel: Channel = {
    peers: () => [peer].values(),
    peer: () => (full.isLost ? undefined : peer),
    send: (_peer, value) => void sent.push(value),
    whenWritable: () => undefined,
    broadcast(peers, value) {
      if (full.now) return [...peers];
      for (const _ of peers) sent.push(value);
      return [];
    },
    broadcastRoom: () => [],
    end: () => {},
    close: () => void closed++,
  };
  const groups = startGroups(
    {
      name: 'me@fake:1',
      isStopping: false,
      runtime,
      channel(name, given) {
        channels.push(name);
        listener = given;
        given.up(peer);
        return channel;
      },
    },
    options,
  );
  return {
    groups,
    peer,
    channels,
    sent,
    full,
    say: (value) => listener?.message(peer, value),
    down: () => listener?.down(peer),
    closed: () => closed,
  };
}
