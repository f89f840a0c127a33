import { createRequire } from 'node:module';
import type * as Api from '@opentelemetry/api';
import type { Context } from '@opentelemetry/api';
import { type AnySelf, checkSelf, partsOf } from '../actor/index.ts';
import { checkHost, SnowmeshError } from '../errors/index.ts';
import type { Node } from '../node/index.ts';
import { ActorTracing } from './actor-tracing.ts';
import { checkTracingOptions, type TracingOptions } from './tracing-options.ts';

const SCOPE = 'snowmesh';

/**
 * Traces the actors of a node with the package `@opentelemetry/api`: each message, cast, call and spawn gets a span, and the trace context is
 * sent along, also to other nodes that are traced. Call it after a tracer provider and a context manager are registered and before actors are spawned.
 *
 * A message within a trace costs two spans. A message outside of all traces costs one read of the active context, or nothing if a handler
 * sends it before its first `await`.
 *
 * @param node what `startNode` returned.
 * @returns a function that ends tracing.
 * @throws SNOW_ERR_NO_OTEL: `@opentelemetry/api` is not installed; SNOW_ERR_BAD_OPTION: a wrong option, or the node is traced already.
 * @example
 * const provider = new BasicTracerProvider({ spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())] });
 * context.setGlobalContextManager(new AsyncLocalStorageContextManager());
 * trace.setGlobalTracerProvider(provider);
 * traceActors(node);
 */
export function traceActors(node: Node, options: TracingOptions = {}): () => void {
  checkHost('traceActors', node);
  checkTracingOptions(options);
  const api = loadApi();
  if (node.tracing !== null)
    throw new SnowmeshError('SNOW_ERR_BAD_OPTION', 'traceActors: this node is traced already');
  const provider = options.tracerProvider ?? api.trace.getTracerProvider();
  const mayBegin = options.requireParentSpan === false;
  const tracing = new ActorTracing(api, provider.getTracer(SCOPE), node, mayBegin);
  node.tracing = tracing;
  return () => {
    if (node.tracing === tracing) node.tracing = null;
  };
}

/**
 * Runs `work` in a span below the last message that this actor received: sends, calls and requests made in `work` belong to that span. It
 * ends when `work` returns or the promise it returned settles, and has the status error if that fails.
 *
 * For function actors: `await self.receive()` cannot change the active context of the code that awaits. A handler's turn is a span
 * already. If the message has no context or the node is not traced, `work` runs outside of all spans.
 *
 * @returns what `work` returns.
 * @throws what `work` throws; SNOW_ERR_BAD_CALLER.
 * @example
 * for (;;) {
 *   const order = await self.receive();
 *   await withMessage(self, () => store(order));
 * }
 */
export function withMessage<R>(self: AnySelf, work: () => R): R {
  const found = tracingOf('withMessage', self);
  return found === undefined ? work() : found.tracing.withMessage(found.cell, work);
}

/**
 * The context of the last message that this actor received, or of its spawn before the first message: for `context.with`, span links and
 * your own spans.
 *
 * @returns undefined when the node is not traced.
 * @throws SNOW_ERR_BAD_CALLER.
 * @example
 * const span = tracer.startSpan('batch', { links: [{ context: trace.getSpanContext(messageContext(self)!)! }] });
 */
export function messageContext(self: AnySelf): Context | undefined {
  const found = tracingOf('messageContext', self);
  return found?.tracing.contextOf(found.cell);
}

function tracingOf(what: string, self: AnySelf) {
  checkSelf(what, self);
  const { runtime, cell } = partsOf(self);
  const { tracing } = runtime;
  return tracing instanceof ActorTracing && cell !== null ? { tracing, cell } : undefined;
}

function loadApi(): typeof Api {
  try {
    return createRequire(import.meta.url)('@opentelemetry/api') as typeof Api;
  } catch (cause) {
    throw new SnowmeshError('SNOW_ERR_NO_OTEL', undefined, { cause });
  }
}
