// Traces of a node, one line a span. Needs: npm install @opentelemetry/api @opentelemetry/context-async-hooks @opentelemetry/sdk-trace-base
import { context, type Tracer, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { BasicTracerProvider, type ReadableSpan, type SpanProcessor } from '@opentelemetry/sdk-trace-base';
import type { Node } from '../../ts/index.ts';
import { traceActors } from '../../ts/otel/index.ts';

/** In production: a BatchSpanProcessor with the exporter of your collector. */
const lines: SpanProcessor = {
  onStart() {},
  onEnd: (span) => console.log(lineOf(span)),
  forceFlush: () => Promise.resolve(),
  shutdown: () => Promise.resolve(),
};

function lineOf(span: ReadableSpan): string {
  const { traceId, spanId } = span.spanContext();
  const { name, parentSpanContext: above } = span;
  return `span ${JSON.stringify({ name, trace: traceId, span: spanId, above: above?.spanId })}`;
}

/** Call it before actors are spawned. */
export function traceToConsole(node: Node): Tracer {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [lines] }));
  traceActors(node);
  return trace.getTracer('orders');
}
