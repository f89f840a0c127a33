import type { TracerProvider } from '@opentelemetry/api';
import { checkFlag, checkOptionNames, type OptionNames, SnowmeshError } from '../errors/index.ts';

/** What spans are made with, and of what. */
export interface TracingOptions {
  /** Default: the one that is registered with `@opentelemetry/api`. */
  readonly tracerProvider?: TracerProvider;
  /**
   * Whether messages, calls and spawns have spans only within a trace: below a span of the application, or of a message that has one.
   * Default true. With false each that is sent outside of a trace begins one.
   */
  readonly requireParentSpan?: boolean;
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
