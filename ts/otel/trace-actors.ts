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
 * Traces what the actors of a node do, with the package `@opentelemetry/api`: each message, cast, call and spawn has a span, and its context goes
 * along, also to nodes that are traced, too. Call it before actors are spawned, and after a tracer provider and a context manager were registered.
 *
 * Until the function that is returned is called, a message of a trace costs two spans; one outside of all traces a look at the active context,
 * and not even that where a handler sends it before its first `await`.
 *
 * @param node what `startNode` returned.
 * @returns what ends it.
 * @throws SNOW_ERR_NO_OTEL: `@opentelemetry/api` is not installed; SNOW_ERR_BAD_OPTION, also when the node is traced already.
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
 * Runs `work` in a span of the message that this actor has received last: its span is the active one, and what is sent, called or fetched
 * inside belongs to it. The span ends with `work`, or with the promise that it gives, and is an error when that fails.
 *
 * A handler needs it not: its turn is a span. A function actor does, because `await self.receive()` cannot change the active context of
 * the code that awaits. When the message has no context, or the node is not traced, `work` runs outside of all spans.
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
 * The context of the message that this actor has received last: for `context.with`, links, and spans of one's own. That of its spawn before
 * the first message.
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
