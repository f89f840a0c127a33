// The observers of a node whose cost is measured; a case turns each on and off.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { context, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BasicTracerProvider,
  NoopSpanProcessor,
  type Sampler,
} from '@opentelemetry/sdk-trace-base';
import { Registry } from 'prom-client';
import type { Node } from '../../ts/index.ts';
import { collectMetrics } from '../../ts/metrics/index.ts';
import { traceActors } from '../../ts/otel/index.ts';

/** Turned on; `begin` runs what sends the first message. */
export interface Observing {
  readonly begin: (act: () => void) => void;
  readonly end: () => void;
}

export interface Observer {
  readonly name: string;
  readonly about: string;
  /** The other node, which nothing looks at, would end what it observes. */
  readonly endsAtPeer?: boolean;
  observe(node: Node): Observing;
}

/** ms between two queries: several in a round, far more often than in production. */
const LOOK_MS = 250;

const CHANNELS = [
  'actor:spawn',
  'actor:exit',
  'actor:crash',
  'message:drop',
  'call:timeout',
  'session:busy',
  'session:drain',
].map((name) => `snowmesh:${name}`);

const plain = (act: () => void): void => act();

export const observers: readonly Observer[] = [
  {
    name: 'diagnostics',
    about: 'a subscriber to the channels of actors, messages and sessions',
    observe() {
      const listener = (): void => {};
      for (const channel of CHANNELS) subscribe(channel, listener);
      return {
        begin: plain,
        end: () => {
          for (const channel of CHANNELS) unsubscribe(channel, listener);
        },
      };
    },
  },
  {
    name: 'prometheus',
    about: 'metrics that are scraped four times a second',
    observe(node) {
      const register = new Registry();
      const close = collectMetrics(node, { register });
      const timer = setInterval(() => void register.metrics(), LOOK_MS);
      return {
        begin: plain,
        end: () => {
          clearInterval(timer);
          close();
        },
      };
    },
  },
  {
    name: 'introspection',
    about: 'what `snowmesh top` asks, four times a second',
    observe(node) {
      const view = node.introspect();
      const timer = setInterval(() => void Promise.all([view.overview(), view.top()]), LOOK_MS);
      return { begin: plain, end: () => clearInterval(timer) };
    },
  },
  traced('otel-outside', 'traceActors, and messages outside of all traces', undefined),
  traced(
    'otel-unsampled',
    'traceActors, and messages of one trace that is not sampled',
    new AlwaysOffSampler(),
  ),
  traced(
    'otel-sampled',
    'traceActors, and two spans a message, which no exporter gets',
    new AlwaysOnSampler(),
  ),
];

function traced(name: string, about: string, sampler: Sampler | undefined): Observer {
  return {
    name,
    about,
    endsAtPeer: sampler !== undefined,
    observe(node) {
      const provider = new BasicTracerProvider({
        sampler: sampler ?? new AlwaysOnSampler(),
        spanProcessors: [new NoopSpanProcessor()],
      });
      // It stays: what traces requests has one, also where actors are not traced.
      context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
      context.with(ROOT_CONTEXT, () => {}); // from its first use on the storage costs something, as beside an HTTP server
      const untrace = traceActors(node, { tracerProvider: provider });
      const span = provider.getTracer('bench').startSpan('round');
      const inSpan = trace.setSpan(ROOT_CONTEXT, span);
      return {
        begin: (act) => (sampler === undefined ? act() : context.with(inSpan, act)),
        end: () => {
          untrace();
          span.end();
        },
      };
    },
  };
}
