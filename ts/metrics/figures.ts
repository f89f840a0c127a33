// The table of metrics: the name of each, and how its value is read.
import type { NodeOverview, SessionCounters } from '../introspect/index.ts';
import type { NodeStats } from '../node/index.ts';

/** A node at the moment of a scrape. */
export interface Moment {
  readonly overview: NodeOverview;
  readonly sessions: readonly SessionCounters[];
  /** Undefined for a node without a name. */
  readonly native: NodeStats['native'];
  /** How many messages are in all mailboxes. */
  readonly mailbox: number;
  /** How many messages actors have taken, ended actors included. */
  readonly turns: number;
  /** Counts since the metrics were registered. */
  readonly events: {
    readonly spawns: number;
    readonly exits: number;
    readonly crashes: number;
    readonly restarts: number;
    readonly callTimeouts: number;
    readonly refusals: number;
    readonly failedDials: number;
  };
}

type Values = readonly (readonly [labels: Readonly<Record<string, string>>, value: number])[];

export interface Figure {
  readonly name: string;
  readonly kind: 'counter' | 'gauge';
  readonly help: string;
  readonly labels?: readonly string[];
  readonly read: (moment: Moment) => Values;
}

const one = (value: number | undefined): Values => (value === undefined ? [] : [[{}, value]]);

function gauge(name: string, help: string, value: (moment: Moment) => number | undefined): Figure {
  return { name, kind: 'gauge', help, read: (moment) => one(value(moment)) };
}

function counter(name: string, help: string, value: (moment: Moment) => number | undefined): Figure {
  return { name, kind: 'counter', help, read: (moment) => one(value(moment)) };
}

function ofPeer(
  name: string,
  kind: Figure['kind'],
  help: string,
  value: (session: SessionCounters) => number,
): Figure {
  const read: Figure['read'] = ({ sessions }) => sessions.map((each) => [{ peer: each.node }, value(each)]);
  return { name, kind, help, labels: ['peer'], read };
}

/** Sizes are in bytes and times in seconds, by the convention of Prometheus. */
export const FIGURES: readonly Figure[] = [
  gauge('actors', 'Living actors.', ({ overview }) => overview.actors),
  gauge('supervisors', 'Supervisors among them.', ({ overview }) => overview.supervisors),
  gauge('names', 'Local names.', ({ overview }) => overview.names),
  gauge('mailbox_messages', 'Messages that wait in all mailboxes.', ({ mailbox }) => mailbox),
  counter('turns_total', 'Messages that actors have taken.', ({ turns }) => turns),
  counter('actor_spawns_total', 'Actors spawned.', ({ events }) => events.spawns),
  counter('actor_exits_total', 'Actors that ended, in whichever way.', ({ events }) => events.exits),
  counter('actor_crashes_total', 'Actors that crashed.', ({ events }) => events.crashes),
  counter(
    'child_restarts_total',
    'Children that supervisors started again.',
    ({ events }) => events.restarts,
  ),
  counter('call_timeouts_total', 'Calls that got no answer in time.', ({ events }) => events.callTimeouts),
  {
    name: 'dead_letters_total',
    kind: 'counter',
    help: 'Lost messages by reason.',
    labels: ['reason'],
    read: ({ overview }) => Object.entries(overview.deadLetters).map(([reason, lost]) => [{ reason }, lost]),
  },
  {
    name: 'event_loop_delay_seconds',
    kind: 'gauge',
    help: 'How late the event loop was over the last ten seconds: mean, p99, max.',
    labels: ['stat'],
    read: ({ overview: { loopDelay } }) =>
      loopDelay === undefined
        ? []
        : (['mean', 'p99', 'max'] as const).map((stat) => [{ stat }, loopDelay[stat] / 1000]),
  },
  gauge('peers', 'Connected peers.', ({ overview }) => overview.peers),
  gauge(
    'stalled_peers',
    'Peers whose event loop is blocked.',
    ({ overview }) => overview.stalledPeers.length,
  ),
  counter('refused_peers_total', 'Connections that failed to authenticate.', ({ events }) => events.refusals),
  counter(
    'failed_dials_total',
    'Dials of this node that brought no connection.',
    ({ events }) => events.failedDials,
  ),
  ofPeer('session_frames_in_total', 'counter', 'Frames from a peer.', ({ framesIn }) => framesIn),
  ofPeer(
    'session_frames_out_total',
    'counter',
    'Frames to a peer, waiting ones included.',
    ({ framesOut }) => framesOut,
  ),
  ofPeer('session_bytes_in_total', 'counter', 'Bytes from a peer, TLS payload.', ({ bytesIn }) => bytesIn),
  ofPeer('session_bytes_out_total', 'counter', 'Bytes to a peer, TLS payload.', ({ bytesOut }) => bytesOut),
  ofPeer('session_waiting_bytes', 'gauge', 'Bytes that wait to be sent to a peer.', ({ waiting }) => waiting),
  ofPeer('session_stalled', 'gauge', '1 while the event loop of a peer is blocked.', ({ stalled }) =>
    Number(stalled),
  ),
  gauge(
    'native_handshakes',
    'Connections that are not authenticated yet.',
    ({ native }) => native?.handshakes,
  ),
  gauge('native_outbox_bytes', 'Bytes that wait in all outboxes.', ({ native }) => native?.outboxBytes),
  gauge('native_inbox_bytes', 'Bytes that wait in all inboxes.', ({ native }) => native?.inboxBytes),
  counter('native_batches_total', 'Batches handed to JavaScript.', ({ native }) => native?.batches),
  counter(
    'native_takeovers_total',
    'How often the native thread took reading over from a stalled event loop.',
    ({ native }) => native?.takeovers,
  ),
  counter('native_spin_hits_total', 'Busy waits that found bytes.', ({ native }) => native?.spinHits),
  counter('native_spin_misses_total', 'Busy waits that found none.', ({ native }) => native?.spinMisses),
];
