import type { TracerProvider } from '@opentelemetry/api';
import { checkFlag, checkOptionNames, type OptionNames, SnowmeshError } from '../errors/index.ts';

/** The tracer, and which messages get spans. */
export interface TracingOptions {
  /** Default: of the provider registered with `@opentelemetry/api`. */
  readonly tracerProvider?: TracerProvider | undefined;
  /**
   * Whether messages, calls and spawns get spans only within a trace, that is below a span of the application or of another message.
   * Default true. With false, each message, call and spawn outside of a trace begins a new one.
   */
  readonly requireParentSpan?: boolean | undefined;
}

const OPTIONS: OptionNames<TracingOptions> = { tracerProvider: true, requireParentSpan: true };

export function checkTracingOptions(options: TracingOptions): void {
  checkOptionNames('traceActors', options, OPTIONS);
  checkFlag('traceActors', 'requireParentSpan', options.requireParentSpan);
  const { tracerProvider } = options;
  if (tracerProvider === undefined || typeof tracerProvider?.getTracer === 'function') return;
  throw new SnowmeshError(
    'SNOW_ERR_BAD_OPTION',
    'traceActors: option tracerProvider must be a TracerProvider of OpenTelemetry',
  );
}
