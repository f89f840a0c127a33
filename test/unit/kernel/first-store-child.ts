// A program whose first use of an AsyncLocalStorage store is to send: says which stores the receivers see. Run by stores.test.ts.
import { AsyncLocalStorage } from 'node:async_hooks';
import { createRequire } from 'node:module';
import { extname } from 'node:path';
import type * as actors from '../../../ts/actor/index.ts';
import type * as registry from '../../../ts/registry/index.ts';

const load = createRequire(import.meta.url);
const suffix = extname(import.meta.url); // it is compiled, or not
const { Runtime, silentLogger } = load(`../../../ts/actor/index${suffix}`) as typeof actors;
const { LocalNames } = load(`../../../ts/registry/index${suffix}`) as typeof registry;

const als = new AsyncLocalStorage<string>();
const runtime = new Runtime({ names: new LocalNames(), logger: silentLogger });
const seen: string[] = [];
let done: () => void = () => {};
const pids = Array.from({ length: 3 }, () =>
  runtime.spawnHandler(() => ({
    onMessage() {
      seen.push(als.getStore() ?? 'none');
      done();
    },
  })),
);
const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
await turn(); // they have started
for (const [place, pid] of pids.entries()) {
  await new Promise<void>((resolve) => {
    done = resolve;
    als.run(`user ${place}`, () => runtime.send(pid as never, 'see' as never));
  });
}
console.log(seen.join(' '));
runtime.stop();
