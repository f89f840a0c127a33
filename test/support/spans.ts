// OpenTelemetry in the process of a test node, with its spans in memory.
import { context, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import type { Node } from '../../ts/index.ts';
import { traceActors } from '../../ts/otel/index.ts';
import { until } from './deadline.ts';

/** A finished span. */
export interface Seen {
  readonly name: string;
  readonly trace: string;
  readonly id: string;
  readonly above: string | undefined;
  readonly kind: number;
  readonly node: unknown;
}

export class Spans {
  readonly #exporter = new InMemorySpanExporter();
  readonly #provider = new BasicTracerProvider({
    spanProcessors: [new SimpleSpanProcessor(this.#exporter)],
  });

  constructor(node: Node) {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    traceActors(node, { tracerProvider: this.#provider });
  }

  /** Runs `act` in a span of the application. */
  async inSpan<R>(name: string, act: () => R | Promise<R>): Promise<R> {
    const span = this.#provider.getTracer('test').startSpan(name);
    try {
      return await context.with(trace.setSpan(ROOT_CONTEXT, span), act);
    } finally {
      span.end();
    }
  }

  /** Makes a span in the active context, at once. */
  mark(name: string): void {
    this.#provider.getTracer('test').startSpan(name).end();
  }

  all(): Seen[] {
    return this.#exporter.getFinishedSpans().map((span) => ({
      name: span.name,
      trace: span.spanContext().traceId,
      id: span.spanContext().spanId,
      above: span.parentSpanContext?.spanId,
      kind: span.kind,
      node: span.attributes['snowmesh.node'],
    }));
  }

  /** All spans, once there is one of each name. */
  async having(...names: string[]): Promise<Seen[]> {
    await until(`the spans ${names.join()}`, () => {
      const seen = new Set(this.all().map(({ name }) => name));
      return names.every((name) => seen.has(name));
    });
    return this.all();
  }
}
