// The part of the group cases on each node: members of one group that count their messages, and an actor, the desk, that reports when all
// members have received all. Run as a program, it is a node with nothing else.
import { type Groups, type Pid, type Self, startGroups } from '../../ts/index.ts';
import { type Lab, openLab } from '../lab.ts';
import type { MemberOrder, MemberReport } from './global-names.ts';

export interface GroupOrder extends MemberOrder {
  readonly members: number;
}

/** Driver → desk: that many messages come to this node's members, all in all; say so when they are here. */
export type Expect = readonly ['expect', deliveries: number, driver: Pid<string>];
export const GROUP = 'room';
export const DESK = 'desk';

/** Joins the members and opens the desk. */
export function takePart(lab: Lab, members: number): Groups {
  const groups = startGroups(lab);
  let left = 0;
  let whenDone = (): void => {};
  const member = (): { onMessage(): void } => ({
    onMessage() {
      if (--left === 0) whenDone();
    },
  });
  groups.join(
    GROUP,
    Array.from({ length: members }, () => lab.spawnHandler(member)),
  );
  const desk = lab.spawn(async (self: Self<Expect>) => {
    for (;;) {
      const [, deliveries, driver] = (await self.receive()) as Expect;
      left = deliveries;
      whenDone = () => self.send(driver, 'done');
      self.send(driver, 'ready');
    }
  });
  lab.register(DESK, desk as never);
  return groups;
}

let lab: Lab | undefined;

/** The launcher imports this file, too; only a process of its own has a channel and this file as its program. */
if (process.send !== undefined && /group-member\.\w+$/.test(process.argv[1] ?? '')) {
  process.on('message', (order: GroupOrder) => void start(order));
  process.on('disconnect', () => void lab?.stop());
}

async function start({ name, cookie, peers, members }: GroupOrder): Promise<void> {
  lab = await openLab({ name: `${name}@127.0.0.1:0`, cookie });
  takePart(lab, members);
  for (const peer of peers) await lab.connect(peer);
  const report: MemberReport = { up: lab.name };
  process.send?.(report);
}
