// A program that loads the runtime inside of an AsyncLocalStorage store: says which store code without one sees. Run by stores.test.ts.

import { AsyncLocalStorage } from 'node:async_hooks';
import { createRequire } from 'node:module';
import { extname } from 'node:path';
import type * as store from '../../../ts/scheduler/store.ts';

const als = new AsyncLocalStorage<string>();
const load = createRequire(import.meta.url);
const { NO_STORE, withoutStore } = als.run(
  'loader',
  () => load(`../../../ts/scheduler/store${extname(import.meta.url)}`), // it is compiled, or not
) as typeof store;
const see = (): string => als.getStore() ?? 'none';
const seen = [
  NO_STORE.runInAsyncScope(see),
  withoutStore(see),
  await NO_STORE.runInAsyncScope(async () => see()),
];
seen.push(await als.run('user', () => NO_STORE.runInAsyncScope(() => Promise.resolve().then(see))));
console.log(seen.join(' '));
