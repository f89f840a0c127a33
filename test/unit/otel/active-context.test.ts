import { AsyncResource } from 'node:async_hooks';
import { type Context, context, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { type Node, type Self, silentLogger, startNode } from '../../../ts/index.ts';
import { traceActors } from '../../../ts/otel/index.ts';

const exporter = new InMemorySpanExporter();
const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
const request = provider.getTracer('test').startSpan('request');
const inRequest = trace.setSpan(ROOT_CONTEXT, request);

let manager: AsyncLocalStorageContextManager;
let node: Node;

beforeEach(async () => {
  manager = new AsyncLocalStorageContextManager();
  context.setGlobalContextManager(manager.enable());
  node = await startNode({ logger: silentLogger });
  traceActors(node, { tracerProvider: provider });
});
afterEach(async () => {
  await node.stop();
  context.disable();
  exporter.reset();
});

type Send = (message: string) => void;

/** Runs `code` in a turn of a handler that no trace belongs to: of each message it sends, whether it is part of the request. */
function sentInTurn(code: (send: Send) => void | Promise<void>): Promise<Record<string, boolean>> {
  const traced: Record<string, boolean> = {};
  return new Promise((done) => {
    const last = node.spawnHandler(() => ({
      onMessage: (message: string) => {
        if (message === 'end') return done(traced);
        const { traceId } = trace.getSpanContext(context.active()) ?? {};
        traced[message] = traceId === request.spanContext().traceId;
      },
    }));
    const first = node.spawnHandler((self: Self<string>) => ({
      onMessage: async () => {
        await code((message) => self.send(last, message));
        self.send(last, 'end');
      },
    }));
    node.send(first, 'go');
  });
}

/** As in Node.js 24 and later. */
function runByEnterWith(): void {
  const storage = manager['_asyncLocalStorage'];
  storage.run = <R, A extends unknown[]>(store: Context, code: (...args: A) => R, ...args: A): R => {
    const prior = storage.getStore() as Context;
    storage.enterWith(store);
    try {
      return code(...args);
    } finally {
      storage.enterWith(prior);
    }
  };
}

it.each([
  ['as it is here', () => {}],
  ['that uses `enterWith`', runByEnterWith],
])(
  'looks at nothing in a turn outside of all traces that enters no context, with a `run` %s',
  async (_, prepare) => {
    prepare();
    context.with(ROOT_CONTEXT, () => {});
    const looks = vi.spyOn(manager, 'active');
    let made: number | undefined;
    const sent = await sentInTurn((send) => {
      looks.mockClear();
      for (let each = 0; each < 100; each++) send(`${each}`);
      made = looks.mock.calls.length;
    });
    expect(Object.values(sent)).toEqual(Array(100).fill(false));
    expect(made).toBe(0);
  },
);

it('sees a context that the code of such a turn enters and leaves', async () => {
  const sent = await sentInTurn((send) => {
    send('before');
    context.with(inRequest, () => send('inside'));
    send('after');
  });
  expect(sent).toEqual({ before: false, inside: true, after: false });
});

it('sees the context of a callback that a request has bound', async () => {
  const bound = context.with(inRequest, () => AsyncResource.bind((send: Send) => send('inside')));
  const byManager = context.bind(inRequest, (send: Send) => send('of the manager'));
  const sent = await sentInTurn((send) => {
    send('before');
    bound(send);
    byManager(send);
    send('after');
  });
  expect(sent).toEqual({ before: false, inside: true, 'of the manager': true, after: false });
});

it('sees the context of code that goes on after an await', async () => {
  const sent = await sentInTurn(async (send) => {
    await context.with(inRequest, async () => {
      await Promise.resolve();
      send('inside');
    });
    send('after');
  });
  expect(sent).toEqual({ inside: true, after: false });
});

it('sees a context that was attached without an end', async () => {
  const sent = await sentInTurn((send) => {
    send('before');
    manager.attach(inRequest);
    send('attached');
  });
  expect(sent).toMatchObject({ before: false, attached: true });
});

it('sees what a manager makes active that was registered later', async () => {
  await sentInTurn((send) => send('with the first manager'));
  context.disable();
  manager = new AsyncLocalStorageContextManager();
  context.setGlobalContextManager(manager.enable());
  const sent = await sentInTurn((send) => context.with(inRequest, () => send('inside')));
  expect(sent).toEqual({ inside: true });
});

it('asks a manager of another kind each time', async () => {
  context.disable();
  let current = ROOT_CONTEXT;
  context.setGlobalContextManager({
    active: () => current,
    with(entered, code, self, ...args) {
      current = entered;
      try {
        return code.apply(self as ThisParameterType<typeof code>, args);
      } finally {
        current = ROOT_CONTEXT;
      }
    },
    bind: (_, target) => target,
    enable: () => manager,
    disable: () => manager,
  });
  const sent = await sentInTurn((send) => context.with(inRequest, () => send('inside')));
  expect(sent).toEqual({ inside: true });
});
