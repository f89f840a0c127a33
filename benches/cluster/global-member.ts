// A process of the global names cases: a node that has global names and does nothing else.
import { startGlobalNames } from '../../ts/index.ts';
import { type Lab, openLab } from '../lab.ts';
import type { MemberOrder, MemberReport } from './global-names.ts';

let lab: Lab | undefined;

process.on('message', (order: MemberOrder) => void start(order));
// The channel closes when the case is over, or when the process at its other end died.
process.on('disconnect', () => void lab?.stop());

async function start({ name, cookie, peers }: MemberOrder): Promise<void> {
  lab = await openLab({ name: `${name}@127.0.0.1:0`, cookie });
  startGlobalNames(lab);
  for (const peer of peers) await lab.connect(peer);
  const report: MemberReport = { up: lab.name };
  process.send?.(report);
}
