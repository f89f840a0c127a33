// A process of the mesh cases: a node that connects to one other and says when it is connected to all.
import { cpuSeconds } from '../harness.ts';
import { type Lab, openLab } from '../lab.ts';
import type { MeshOrder, MeshReport } from './mesh.ts';

let lab: Lab | undefined;

process.on('message', (order: MeshOrder) => {
  if ('start' in order) void start(order.start.name, order.start.cookie);
  else if ('cpu' in order) tell({ cpu: cpuSeconds() });
  else if (lab !== undefined) join(lab, order.join.seed, order.join.size);
});
// The channel closes when the process at its other end died.
process.on('disconnect', () => void lab?.stop());

const tell = (report: MeshReport): void => void process.send?.(report);

async function start(name: string, cookie: string): Promise<void> {
  lab = await openLab({ name: `${name}@127.0.0.1:0`, cookie });
  tell({ up: lab.name });
}

function join(here: Lab, seed: string, size: number): void {
  here.spawn(async (self) => {
    here.monitorNodes(self);
    if (here.name !== seed) void here.connect(seed);
    while (here.nodes().length < size - 1) await self.receive();
    tell({ joined: size });
  });
}
