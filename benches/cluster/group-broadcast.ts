// Broadcasts to a group with as many members on each of three nodes: one frame goes to each node, which hands it to its members.
// The same job as Erlang's pg does in its script: directly, one message a member, and through a relay on each node.
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Groups, Pid, Self } from '../../ts/index.ts';
import type { BenchCase, Round, Running, Settings } from '../harness.ts';
import { type Lab, openLab } from '../lab.ts';
import type { MemberReport } from './global-names.ts';
import { DESK, GROUP, type GroupOrder, takePart } from './group-member.ts';
import { ask, dismiss, forkMember } from './member-process.ts';

const NODES = 3;
/** Broadcasts between two turns of the event loop. */
const BURST = 100;

interface Size {
  readonly members: number;
  readonly broadcasts: number;
  /** One message a member, from the sender's node, instead of one frame a node. */
  readonly isDirect: boolean;
  /** Text, which all members share, instead of bytes, which each gets a copy of. */
  readonly isText?: boolean;
  /** Erlang's case. It has none for text: there all members share the bytes. */
  readonly rival?: string;
}

const SIZES: readonly Size[] = [
  { members: 1, broadcasts: 30_000, isDirect: false, rival: 'pg_3x1' },
  { members: 1000, broadcasts: 1000, isDirect: false, rival: 'pg_3x1000_relayed' },
  { members: 1000, broadcasts: 2000, isDirect: false, isText: true },
  { members: 1000, broadcasts: 200, isDirect: true, rival: 'pg_3x1000' },
];

export const groupBroadcast: readonly BenchCase[] = SIZES.map((size) => ({
  name: `cluster/group-broadcast_3x${size.members}${suffixOf(size)}`,
  about: `${size.broadcasts} broadcasts of 100 ${size.isText ? 'characters' : 'bytes'} to a group with ${size.members} members on each of three nodes${
    size.isDirect ? ', a message sent to each member' : ''
  }.`,
  ...(size.rival === undefined
    ? {}
    : { rivals: { erlang: { case: size.rival, metrics: { deliveries: '', broadcasts: '.broadcasts' } } } }),
  open: (settings) => openGroupBroadcast(size, settings),
}));

function suffixOf({ isDirect, isText }: Size): string {
  if (isDirect) return '_direct';
  return isText ? '_text' : '';
}

async function openGroupBroadcast(size: Size, settings: Settings): Promise<Running> {
  const { members, broadcasts, isDirect, isText = false } = size;
  const cookie = randomBytes(32).toString('base64url');
  const lab = await openLab({ name: 'n0@127.0.0.1:0', cookie });
  const groups = takePart(lab, members);
  const children: ChildProcess[] = [];
  const peers = [lab.name];
  for (let number = 1; number < NODES; number++) {
    const child = forkMember('group-member');
    const { up } = await ask<MemberReport>(child, {
      name: `n${number}`,
      cookie,
      peers,
      members,
    } satisfies GroupOrder);
    children.push(child);
    peers.push(up);
  }
  while (groups.members(GROUP).length < NODES * members) await nextTurn();
  const count = settings.quick ? 20 : broadcasts;
  return {
    round: () => oneRound(lab, groups, peers, { members, isDirect, isText, broadcasts: count }),
    stop: () => dismiss(children, () => lab.stop()),
  };
}

function oneRound(
  lab: Lab,
  groups: Groups,
  nodes: readonly string[],
  { members, isDirect, isText, broadcasts: count }: Omit<Size, 'rival'>,
): Promise<Round> {
  const burst = isDirect ? 1 : BURST;
  return new Promise((resolve) => {
    lab.spawn(async (self: Self<string>) => {
      for (const node of nodes)
        self.send({ name: DESK, node }, ['expect', count * members, self.pid as Pid<string>] as never);
      for (const _ of nodes) await self.receive((word) => word === 'ready');
      const payload = isText ? randomBytes(50).toString('hex') : randomBytes(100);
      const start = performance.now();
      for (let number = 0; number < count; number++) {
        const message = ['room', number, payload];
        if (isDirect) for (const member of groups.members(GROUP)) self.send(member, message as never);
        else groups.broadcast(GROUP, message, self);
        if (number % burst === burst - 1) await nextTurn();
      }
      for (const _ of nodes) await self.receive((word) => word === 'done');
      const seconds = (performance.now() - start) / 1000;
      const deliveries = count * members * nodes.length;
      resolve({
        deliveries: { value: deliveries / seconds, unit: 'deliveries/s' },
        broadcasts: { value: count / seconds, unit: '1/s' },
      });
    });
  });
}
