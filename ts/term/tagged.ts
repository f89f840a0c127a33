import { badArgument, SnowmeshError } from '../errors/index.ts';
import { isErrorType } from './error-term.ts';

/** Data with a type name. Made by {@link struct}. */
export class Tagged<T extends string = string, F extends object = Record<string, unknown>> {
  readonly type: T;
  readonly fields: F;

  /** @internal Use {@link struct}. */
  constructor(type: T, fields: F) {
    this.type = type;
    this.fields = fields;
  }
}

/**
 * Makes a struct with a type name, which arrives as {@link Tagged} (docs/wire.md, STRUCT).
 *
 * @param type The type name, up to 65 535 bytes of UTF-8. Not the name of a standard error.
 * @param fields A plain object of up to 65 535 fields.
 *
 * Throws SNOW_ERR_BAD_ARGUMENT, and SNOW_ERR_UNSENDABLE for the name of a standard error. The fields are checked when it is sent.
 * @example
 * self.send(pid, struct('point', { x: 1, y: 2 }));
 */
export function struct<T extends string, F extends object>(type: T, fields: F): Tagged<T, F> {
  if (typeof type !== 'string') throw badArgument('struct', 'a type name that is a string', type);
  if (typeof fields !== 'object' || fields === null)
    throw badArgument('struct', 'an object of fields', fields);
  if (isErrorType(type)) {
    throw new SnowmeshError(
      'SNOW_ERR_UNSENDABLE',
      `A struct cannot have the type name ${type}, which is a standard error: send an error instead.`,
      {
        details: { path: '$.type' },
      },
    );
  }
  return new Tagged(type, fields);
}
