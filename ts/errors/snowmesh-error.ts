import { checkEngine } from './engine.ts';
import { ERRORS, type ErrorCode } from './table.ts';

checkEngine(process.versions.node); // here, because every module imports this one first

/** What an error carries besides its code and sentence. */
export interface SnowmeshErrorOptions {
  /** What led to it. */
  readonly cause?: unknown;
  /** Facts for programs: names, limits, sizes. */
  readonly details?: Readonly<Record<string, unknown>> | undefined;
}

/**
 * An error of snowmesh: `code` is stable, `message` says what happened and what to do. docs/errors.md lists all codes, and the few
 * errors that are none of these.
 *
 * @example
 * try {
 *   node.send('no-such-name', 1);
 * } catch (error) {
 *   if (!(error instanceof SnowmeshError) || error.code !== 'SNOW_ERR_NAME_UNKNOWN') throw error;
 * }
 */
export class SnowmeshError extends Error {
  /** Stable; listed in docs/errors.md. */
  readonly code: ErrorCode;
  /** Facts for programs: names, limits, sizes. */
  readonly details: Readonly<Record<string, unknown>> | undefined;

  constructor(code: ErrorCode, message?: string, options?: SnowmeshErrorOptions) {
    super(
      message ?? `${ERRORS[code].summary} ${ERRORS[code].remedy}`,
      options?.cause === undefined ? undefined : { cause: options.cause },
    );
    this.name = 'SnowmeshError';
    this.code = code;
    this.details = options?.details;
  }
}
