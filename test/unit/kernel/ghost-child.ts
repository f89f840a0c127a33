// A process whose actors leave timers, listeners and promises behind. Run by after-death.test.ts.

import { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { request } from '../../../ts/actor/index.ts';
import { type Self, startNode } from '../../../ts/index.ts';

const node = await startNode();
const events = new EventEmitter();
const target = node.spawn(async (self: Self) => void (await self.receive()));

/** Everything that code left behind may try. */
function haunt(self: Self): void {
  self.send(target, 'boo');
  self.sendExit(target, 'boo');
  self.link(target);
  self.monitor(target);
  self.spawnLink(() => {});
  self.sendAfter(1, target, 'boo');
  void request(self, target as never, 'boo').then(() => console.log('resumed'));
  void self.receive().then(() => console.log('resumed'));
}

for (let n = 0; n < 10; n++) {
  let begun = (): void => {};
  const hasBegun = new Promise<void>((resolve) => (begun = resolve));
  const pid = node.spawn(async (self: Self) => {
    const early = setInterval(haunt, 1, self);
    setTimeout(() => clearInterval(early), 50);
    setTimeout(() => self.runtime.sendExit(self.pid, 'late'), 20);
    events.on('knock', () => haunt(self));
    self.signal.addEventListener('abort', () => haunt(self));
    const floating = async (): Promise<void> => {
      await sleep(10);
      haunt(self);
    };
    void floating();
    begun();
    await self.receive('never');
  });
  await hasBegun;
  node.sendExit(pid, 'kill'); // before a timer can fire
}
await sleep(30);
events.emit('knock');
await sleep(50);
console.log(node.runtime.isAlive(target) ? 'alive' : 'taken along');
await node.stop();
