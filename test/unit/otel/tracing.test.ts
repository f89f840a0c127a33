import Module from 'node:module';
import {
  type Attributes,
  context,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import {
  call,
  cast,
  Down,
  defineActor,
  defineServer,
  Exit,
  type Node,
  type Pid,
  type Self,
  silentLogger,
  startNode,
} from '../../../ts/index.ts';
import { messageContext, type TracingOptions, traceActors, withMessage } from '../../../ts/otel/index.ts';
import { until } from '../../support/deadline.ts';

const exporter = new InMemorySpanExporter();
const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
const tracer = provider.getTracer('test');

let node: Node;
let untrace: () => void = () => {};

beforeAll(() => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
});
afterAll(() => context.disable());
beforeEach(async () => {
  node = await startNode({ logger: silentLogger });
});
afterEach(async () => {
  untrace();
  await node.stop();
  exporter.reset();
});

function traced(options: TracingOptions = {}): void {
  untrace = traceActors(node, { tracerProvider: provider, ...options });
}

/** Runs `act` in a span of the application. */
function inSpan<R>(name: string, act: () => R): R {
  const span = tracer.startSpan(name);
  try {
    return context.with(trace.setSpan(ROOT_CONTEXT, span), act);
  } finally {
    span.end();
  }
}

async function finished(name: string): Promise<ReadableSpan> {
  await until(`the span ${name}`, () => exporter.getFinishedSpans().some((span) => span.name === name));
  return exporter.getFinishedSpans().find((span) => span.name === name) as ReadableSpan;
}

/** The names from a span up to the first of its trace. */
async function line(name: string): Promise<string[]> {
  const names: string[] = [];
  for (let span: ReadableSpan | undefined = await finished(name); span !== undefined; ) {
    names.push(span.name);
    const above: string | undefined = span.parentSpanContext?.spanId;
    span =
      above === undefined
        ? undefined
        : exporter.getFinishedSpans().find((each) => each.spanContext().spanId === above);
  }
  return names;
}

/** A handler that passes each message on to `next`, in a span of its own. */
function relay(name: string, next?: Pid<never>): Pid<string> {
  return node.spawnWith({ label: name }, {
    kind: 'handler',
    name,
    init: () => ({
      onMessage: async (message: string, self: Self) => {
        await Promise.resolve();
        if (next !== undefined) self.send(next, message as never);
      },
    }),
  } as never) as Pid<string>;
}

const counter = defineServer({
  name: 'counter',
  init: () => ({ count: 0 }),
  calls: {
    add: (context_, by: number) => (context_.state.count += by),
    fail: () => {
      throw new TypeError('on purpose');
    },
  },
  casts: { reset: (context_) => void (context_.state.count = 0) },
});

it('follows a message over handlers, each a producer and a consumer', async () => {
  traced();
  const last = relay('last');
  const first = relay('first', last as Pid<never>);
  inSpan('request', () => node.send(first, 'go'));
  expect(await line('process last')).toEqual([
    'process last',
    'send last',
    'process first',
    'send first',
    'request',
  ]);
  const [sent, handled] = [await finished('send first'), await finished('process first')];
  expect([sent.kind, handled.kind]).toEqual([SpanKind.PRODUCER, SpanKind.CONSUMER]);
  expect(handled.attributes).toMatchObject({
    'messaging.system': 'snowmesh',
    'messaging.operation.type': 'process',
    'messaging.destination.name': 'first',
    'snowmesh.actor': first.toString(),
  } satisfies Attributes);
});

it('has a client and a server span for a call, and a line for a cast', async () => {
  traced();
  const pid = await counter.start(node);
  await inSpan('asking', () => call(node, pid, 'add', 2));
  inSpan('telling', () => cast(node, pid, 'reset'));
  const server = await finished('counter/add');
  const spans = exporter.getFinishedSpans().filter(({ name }) => name === 'counter/add');
  const client = spans.find(({ kind }) => kind === SpanKind.CLIENT)!;
  expect(spans.find(({ kind }) => kind === SpanKind.SERVER)?.parentSpanContext?.spanId).toBe(
    client.spanContext().spanId,
  );
  expect(server.attributes).toMatchObject({
    'rpc.system': 'snowmesh',
    'rpc.service': 'counter',
    'rpc.method': 'add',
  });
  expect(await line('process counter')).toEqual(['process counter', 'send counter', 'telling']);
});

it('marks a call without an answer and a crash as errors', async () => {
  traced();
  const deaf = relay('deaf');
  const asked = inSpan('asking', () => call(node, deaf as never, 'hear' as never, ...([] as never[])));
  node.sendExit(deaf as never, 'kill');
  await expect(asked).rejects.toThrow();
  expect(await finished('deaf/hear')).toMatchObject({ status: { code: SpanStatusCode.ERROR } });
  const pid = await counter.start(node);
  const failing = inSpan('failing', () => call(node, pid, 'fail'));
  await expect(failing).rejects.toThrow();
  await until('both spans', () => spansOf('counter/fail').length === 2);
  for (const { status } of spansOf('counter/fail')) expect(status.code).toBe(SpanStatusCode.ERROR);
  const [server] = spansOf('counter/fail').filter(({ kind }) => kind === SpanKind.SERVER);
  expect(server?.attributes['error.type']).toBe('TypeError');
  expect(server?.events[0]?.name).toBe('exception');
});

it('marks a handler that throws, and a spawn on another node that fails, as errors', async () => {
  traced();
  const faulty = node.spawnWith({ label: 'faulty' }, {
    kind: 'handler',
    name: 'faulty',
    init: () => ({
      onMessage: () => {
        throw new RangeError('on purpose');
      },
    }),
  } as never) as Pid<string>;
  inSpan('request', () => node.send(faulty, 'x'));
  expect(await finished('process faulty')).toMatchObject({
    status: { code: SpanStatusCode.ERROR, message: 'on purpose' },
    attributes: { 'error.type': 'RangeError' },
  });
  const spec = defineActor('far', () => {});
  const code = await new Promise((resolve) => {
    const spawnFar = async (self: Self<never>): Promise<void> =>
      resolve(await self.spawnOn('b@127.0.0.1:1', spec, []).catch((error: { code: string }) => error.code));
    inSpan('spawning', () => node.spawnWith({ label: 'asker' }, spawnFar));
  });
  expect(code).toBe('SNOW_ERR_SPAWN');
  expect(await finished('spawn far')).toMatchObject({
    kind: SpanKind.CLIENT,
    status: { code: SpanStatusCode.ERROR },
    attributes: { 'error.type': 'failed' },
  });
});

it('marks an exit of another actor that leaves a handler as an error, and not one of its own', async () => {
  traced();
  const exits: Record<string, (self: Self) => void> = {};
  const other = await new Promise<Self>(
    (resolve) => void node.spawn((self: Self) => (resolve(self), self.sleep(1e9))),
  );
  exits['own'] = (self) => self.exit('done');
  exits['others'] = () => other.exit('done');
  const init = () => ({ onMessage: (_message: string, self: Self) => exits[self.label]?.(self) });
  for (const name of ['own', 'others']) {
    const pid = node.spawnWith({ label: name }, { kind: 'handler', name, init } as never) as Pid<string>;
    inSpan('request', () => node.send(pid, 'x'));
  }
  expect((await finished('process own')).status.code).toBe(SpanStatusCode.UNSET);
  const { status, attributes } = await finished('process others');
  expect([status.code, attributes['error.type']]).toEqual([SpanStatusCode.ERROR, 'SNOW_ERR_ACTOR_DEAD']);
});

it('follows a message of sendWait, also one that waits for room', async () => {
  traced();
  const narrow = node.spawnWith({ label: 'narrow', mailbox: { max: 1, policy: 'block' } }, {
    kind: 'handler',
    name: 'narrow',
    init: () => ({ onMessage: (message: string) => tracer.startSpan(`on ${message}`).end() }),
  } as never) as Pid<string>;
  await inSpan('request', () => node.sendWait(narrow, 'first'));
  expect(await line('on first')).toEqual(['on first', 'process narrow', 'send narrow', 'request']);
  node.send(narrow, 'untraced');
  await inSpan('another', () => node.sendWait(narrow, 'second'));
  expect(await line('on second')).toEqual(['on second', 'process narrow', 'send narrow', 'another']);
  expect(await line('on untraced')).toEqual(['on untraced']);
});

it('carries no context with ticks of an interval, exits and monitors, and no baggage', async () => {
  traced();
  const seen = new Map<unknown, unknown>();
  const watched = relay('watched');
  const watcher = node.spawnWith({ label: 'watcher' }, {
    kind: 'handler',
    name: 'watcher',
    init: (self: Self) => {
      self.trapExit(true);
      self.monitor(watched);
      return {
        onMessage(message: unknown) {
          const what = message instanceof Exit ? 'exit' : message instanceof Down ? 'down' : message;
          seen.set(what, [trace.getSpanContext(context.active()), propagation.getActiveBaggage()]);
        },
      };
    },
  } as never) as Pid<string>;
  node.send(watcher, 'ready');
  await until('its init', () => seen.has('ready'));
  const beat = async (self: Self<never>): Promise<void> => {
    self.sendExit(watcher as never, 'why');
    self.sendExit(watched as never, 'kill');
    self.sendInterval(1, watcher, 'tick');
    await self.receive();
  };
  inSpan('request', () => {
    const baggage = propagation.createBaggage({ user: { value: 'alice' } });
    context.with(propagation.setBaggage(context.active(), baggage), () => {
      node.spawnWith({ label: 'clock' }, beat);
      node.send(watcher, 'message');
    });
  });
  await until('all', () => seen.size === 5);
  const { traceId } = (await finished('request')).spanContext();
  expect(Object.fromEntries(seen)).toEqual({
    ready: [undefined, undefined],
    exit: [undefined, undefined],
    down: [undefined, undefined],
    tick: [undefined, undefined],
    message: [expect.objectContaining({ traceId }), undefined],
  });
});

it('has what a function actor sends in withMessage below its span, until that is over', async () => {
  traced();
  const [inside, outside] = [relay('inside'), relay('outside')];
  const loop = node.spawnWith({ label: 'loop' }, async (self: Self<string>) => {
    await self.receive();
    await withMessage(self, async () => {
      await Promise.resolve();
      self.send(inside, 'x');
    });
    self.send(outside, 'x');
  });
  inSpan('request', () => node.send(loop, 'go'));
  await finished('process loop');
  expect(await line('process inside')).toEqual([
    'process inside',
    'send inside',
    'process loop',
    'send loop',
    'request',
  ]);
  expect(await line('process outside')).toEqual(['process outside', 'send outside', 'send loop', 'request']);
});

const spansOf = (name: string): ReadableSpan[] =>
  exporter.getFinishedSpans().filter((span) => span.name === name);

it('gives a function actor the context of the message it took last, not of whoever woke it', async () => {
  traced();
  const sink = relay('sink');
  const seen: (string | undefined)[] = [];
  const loop = inSpan('spawning', () =>
    node.spawnWith({ label: 'loop' }, async (self: Self<string>) => {
      for (;;) {
        const message = (await self.receive((each: unknown) => each !== 'later')) as string;
        seen.push(trace.getSpanContext(messageContext(self)!)?.traceId);
        withMessage(self, () => tracer.startSpan(`work ${message}`).end());
        self.send(sink, message);
      }
    }),
  );
  inSpan('later', () => node.send(loop, 'later'));
  inSpan('one', () => node.send(loop, 'one'));
  node.send(loop, 'none');
  inSpan('two', () => node.send(loop, 'two'));
  expect(await line('work two')).toEqual(['work two', 'process loop', 'send loop', 'two']);
  expect(await line('work one')).toEqual(['work one', 'process loop', 'send loop', 'one']);
  expect(await line('work none')).toEqual(['work none']);
  await until('what it sent', () => spansOf('process sink').length === 2);
  const traces = spansOf('process sink').map((span) => span.spanContext().traceId);
  expect([traces[0], undefined, traces[1]]).toEqual(seen);
  expect(traces).toEqual(['one', 'two'].map((name) => spansOf(name)[0]?.spanContext().traceId));
});

it('begins a child in the span of its spawn, and each message in its own', async () => {
  traced();
  const child = inSpan('spawning', () =>
    node.spawnWith({ label: 'child' }, {
      kind: 'handler',
      name: 'child',
      init: () => {
        tracer.startSpan('in init').end();
        return { onMessage: (message: string) => tracer.startSpan(`on ${message}`).end() };
      },
    } as never),
  ) as Pid<string>;
  node.send(child, 'untraced');
  expect(await line('in init')).toEqual(['in init', 'spawn child', 'spawning']);
  expect(await line('on untraced')).toEqual(['on untraced']);
});

it('carries the context of where a timer was armed', async () => {
  traced();
  const last = relay('last');
  inSpan('arming', () =>
    node.spawnWith({ label: 'clock' }, async (self: Self<never>) => {
      self.sendAfter(1, last, 'tick');
      self.after(1, () => tracer.startSpan('applied').end());
      await self.receive();
    }),
  );
  expect(await line('process last')).toEqual(['process last', 'send last', 'spawn clock', 'arming']);
  expect(await line('applied')).toEqual(['applied', 'spawn clock', 'arming']);
});

it('has no span outside of a trace, unless it shall begin one', async () => {
  traced();
  const quiet = relay('quiet');
  node.send(quiet, 'x');
  const pid = await counter.start(node);
  await call(node, pid, 'add', 1);
  expect(exporter.getFinishedSpans()).toEqual([]);
  untrace();
  traced({ requireParentSpan: false });
  node.send(quiet, 'x');
  expect(await line('process quiet')).toEqual(['process quiet', 'send quiet']);
});

it('makes no span below one that is not sampled, and carries its context on', async () => {
  traced();
  const above = { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: 'b7ad6b7169203331', traceFlags: 0 };
  const seen: unknown[] = [];
  const last = node.spawnWith({ label: 'last' }, {
    kind: 'handler',
    name: 'last',
    init: () => ({ onMessage: () => void seen.push(trace.getSpanContext(context.active())) }),
  } as never) as Pid<string>;
  const first = relay('first', last as Pid<never>);
  const pid = await counter.start(node);
  await context.with(trace.setSpanContext(ROOT_CONTEXT, above), async () => {
    node.send(first, 'x');
    await call(node, pid, 'add', 1);
  });
  await until('the last', () => seen.length === 1);
  expect(seen).toEqual([above]);
  expect(exporter.getFinishedSpans()).toEqual([]);
});

it('keeps contexts and messages together in whatever order messages are taken', async () => {
  traced();
  const seen: Record<string, (string | undefined)[]> = {};
  let over = (): void => {};
  const picky = node.spawnWith({ label: 'picky' }, async (self: Self<string>) => {
    for (;;) {
      // Behind its first message, then in the order of arrival, then from the end again.
      for (const wanted of ['go', 'c', 'a', 'a', 'b', 'e', 'd', 'none']) {
        await self.receive((each: unknown) => each === wanted);
        const { traceId } = trace.getSpanContext(messageContext(self)!) ?? {};
        (seen[wanted] ??= []).push(traceId);
      }
      over();
    }
  });
  for (let round = 0; round < 3; round++) {
    for (const wanted of Object.keys(seen)) seen[wanted] = [];
    const done = new Promise<void>((resolve) => (over = resolve));
    node.send(picky, 'none');
    const sent: Record<string, (string | undefined)[]> = { none: [undefined] };
    for (const message of ['a', 'b', 'c', 'a', 'd', 'e', 'go'])
      inSpan(`request ${message}`, () => {
        node.send(picky, message);
        (sent[message] ??= []).push(trace.getSpanContext(context.active())?.traceId);
      });
    await done;
    expect(seen).toEqual(sent);
  }
});

it('keeps contexts and messages together in a mailbox that drops', async () => {
  traced();
  const seen: [number, string | undefined][] = [];
  let open!: () => void;
  const opened = new Promise<void>((resolve) => (open = resolve));
  const slow = node.spawnWith(
    { label: 'slow', mailbox: { max: 2, policy: 'drop-old' } },
    async (self: Self<number>) => {
      await opened;
      for (;;) {
        const message = (await self.receive()) as number;
        seen.push([message, trace.getSpanContext(messageContext(self)!)?.traceId]);
      }
    },
  );
  const ids = [1, 2, 3, 4, 5].map((each) =>
    inSpan(`request ${each}`, () => {
      node.send(slow, each % 2);
      return trace.getSpanContext(context.active())?.traceId;
    }),
  );
  open();
  await until('what is left', () => seen.length === 2);
  expect(seen).toEqual([
    [0, ids[3]],
    [1, ids[4]],
  ]);
});

it('can be ended and begun again, once at a time', async () => {
  traced();
  expect(() => traceActors(node)).toThrow(expect.objectContaining({ code: 'SNOW_ERR_BAD_OPTION' }));
  expect(() => traceActors(node, { requireParentSpan: 1 } as never)).toThrow(
    expect.objectContaining({ code: 'SNOW_ERR_BAD_OPTION' }),
  );
  expect(() => traceActors(node, { tracerProvider: {} } as never)).toThrow(
    expect.objectContaining({ code: 'SNOW_ERR_BAD_OPTION' }),
  );
  const last = relay('last');
  inSpan('request', () => node.send(last, 'waits'));
  untrace();
  inSpan('request', () => node.send(last, 'x'));
  const pid = await counter.start(node);
  await call(node, pid, 'add', 1); // both messages were handled
  expect(exporter.getFinishedSpans().map(({ name }) => name)).toEqual(['send last', 'request', 'request']);
});

it('says which package is missing', () => {
  const loader = Module as unknown as { _load(request: string): unknown };
  const loading = vi.spyOn(loader, '_load').mockImplementation(() => {
    throw new Error("Cannot find module '@opentelemetry/api'");
  });
  try {
    expect(() => traceActors(node)).toThrow(
      expect.objectContaining({
        code: 'SNOW_ERR_NO_OTEL',
        message: expect.stringMatching(/npm install/),
      }),
    );
  } finally {
    loading.mockRestore();
  }
});
