// A process with a node without a name: what keeps it alive? Run by keep-alive.test.ts.
import { request } from '../../../ts/actor/index.ts';
import { type Self, startNode } from '../../../ts/index.ts';

const node = await startNode();
const scenarios: Record<string, () => void> = {
  nothing: () => {
    node.spawn(async (self: Self) => void (await self.receive()));
  },
  timer: () => {
    node.spawn(async (self: Self) => {
      await self.sleep(100);
      console.log('slept');
    });
  },
  'timers one after the other': () => {
    node.spawn(async (self: Self) => {
      for (const ms of [10, 20, 5]) {
        await self.sleep(ms);
        await self.receive('never', { timeout: ms });
      }
      console.log('slept');
    });
  },
  'a timer behind a cancelled one': () => {
    node.spawn(async (self: Self) => {
      // Its alarm stays armed; the next timer takes it over.
      self.cancelTimer(self.after(50, () => {}));
      await self.sleep(100);
      console.log('slept');
    });
  },
  'a cancelled timer': () => {
    node.spawn((self: Self) => void self.cancelTimer(self.after(60_000, () => {})));
  },
  'the timer of a dead actor': () => {
    node.sendExit(
      node.spawn((self: Self) => self.sleep(60_000)),
      'kill',
    );
  },
  call: () => {
    const deaf = node.spawn(async (self: Self) => void (await self.receive('never')));
    request(node, deaf, 'ask', [], { timeout: 100 }).catch(() => console.log('slept'));
  },
  unref: () => {
    node.unref();
    node.spawn((self: Self) => self.sleep(60_000));
  },
  'unref later': () => {
    node.spawn((self: Self) => self.sleep(60_000));
    setImmediate(() => node.unref());
  },
  'unref and ref': () => {
    node.unref();
    scenarios['timer']?.();
    setImmediate(() => node.ref());
  },
  stop: () => {
    node.spawn((self: Self) => self.sleep(60_000));
    setImmediate(() => void node.stop());
  },
};
scenarios[process.argv[2] ?? '']?.();
