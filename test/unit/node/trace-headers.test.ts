// The trace context that a peer sends: W3C Trace Context, or nothing.
import { expect, it } from 'vitest';
import { MAX_TRACESTATE } from '../../../ts/kernel/index.ts';
import { readTraceHeaders } from '../../../ts/node/trace-headers.ts';

const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;

it.each<[string, unknown, string]>([
  ['as long as it may be', 'x'.repeat(MAX_TRACESTATE), 'x'.repeat(MAX_TRACESTATE)],
  ['that is longer', 'x'.repeat(MAX_TRACESTATE + 1), ''],
  ['with other characters', 'a=\u00e9', ''],
  ['that is no text', 7, ''],
  ['that is missing', undefined, ''],
])('a state %s: the rest of the context counts', (_how, given, tracestate) => {
  expect(readTraceHeaders([traceparent, given])).toEqual({ traceparent, tracestate });
});

it.each([7, [], [7], ['00-0'], [traceparent.replace('a', '0').replaceAll('a', '0')], { 0: traceparent }])(
  '%o is no context',
  (value) => {
    expect(readTraceHeaders(value)).toBeNull();
  },
);
