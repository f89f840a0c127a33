// All cases, in the order in which they run.
import { behindBulk } from './cluster/behind-bulk.ts';
import { globalNames } from './cluster/global-names.ts';
import { groupBroadcast } from './cluster/group-broadcast.ts';
import { lostNode } from './cluster/lost-node.ts';
import { mesh } from './cluster/mesh.ts';
import { oneWay } from './cluster/one-way.ts';
import { remoteSpawn } from './cluster/remote-spawn.ts';
import { roundTrip } from './cluster/round-trip.ts';
import { localGrowth } from './growth/local.ts';
import { nodeGrowth } from './growth/nodes.ts';
import type { BenchCase } from './harness.ts';
import { callEcho } from './local/call.ts';
import { fanIn } from './local/fan-in.ts';
import { monitorDown } from './local/monitor-down.ts';
import { pingPong } from './local/ping-pong.ts';
import { restart } from './local/restart.ts';
import { ring } from './local/ring.ts';
import { selectiveReceive } from './local/selective-receive.ts';
import { spawn } from './local/spawn.ts';
import { timers } from './local/timers.ts';
import { codec } from './micro/codec.ts';
import { copy } from './micro/copy.ts';
import { roomBroadcast } from './rooms/broadcast.ts';
import { roomPresence } from './rooms/presence.ts';
import { off } from './watching/off.ts';
import { watching } from './watching/watching.ts';

export const cases: readonly BenchCase[] = [
  ...oneWay,
  ...roundTrip,
  ...remoteSpawn,
  ...lostNode,
  ...mesh,
  ...globalNames,
  ...groupBroadcast,
  ...behindBulk,
  ...roomBroadcast,
  ...roomPresence,
  ...pingPong,
  ...fanIn,
  ...ring,
  ...callEcho,
  ...spawn,
  ...selectiveReceive,
  ...monitorDown,
  ...restart,
  ...timers,
  ...watching,
  ...off,
  ...localGrowth,
  ...nodeGrowth,
  ...codec,
  ...copy,
];
