// Which connections do not get a broadcast.
import { checkFlag, checkOptionNames, type OptionNames } from '../errors/index.ts';
import type { Except } from './room-message.ts';

/** A connection; `generation` is how often its session had been resumed. */
interface Excepted {
  readonly id: string;
  readonly generation?: number;
}

/** The exception of one connection. */
export function exceptConnection({ id, generation }: Excepted): Except {
  return generation === undefined ? [`#${id}`] : [`#${id}`, `#${id} ${generation}`];
}

/** The exceptions of `connection.broadcast`. @throws SNOW_ERR_BAD_OPTION, SNOW_ERR_BAD_ARGUMENT */
export function exceptSelf(connection: Excepted, options: { readonly self?: boolean }): Except {
  checkOptionNames('broadcast', options, OPTIONS);
  checkFlag('broadcast', 'self', options.self);
  return options.self === false ? exceptConnection(connection) : [];
}

/** Whether the client that a session had until it was resumed once more does not get a message. */
export function isExceptUntil(except: Except, session: string, generation: number): boolean {
  const start = `#${session} `;
  return except.some((each) => each.startsWith(start) && Number(each.slice(start.length)) <= generation);
}

const OPTIONS: OptionNames<{ self?: boolean }> = { self: true };
