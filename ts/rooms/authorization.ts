// Asks `authorize` about an upgrade, in time, and checks its answer.
import type { IncomingMessage } from 'node:http';
import { inspect } from 'node:util';
import { kindOf, SnowmeshError } from '../errors/index.ts';
import { keyRoom } from './room.ts';

/** The user of a connection. It may be left out only where a connection may have none. */
export type UserOf<User> = undefined extends User
  ? {
      /** The value of `connection.user`. */
      readonly user?: User | undefined;
    }
  : {
      /** The value of `connection.user`. */
      readonly user: User;
    };

/** Options that may be left out only where a connection may have no user. */
export type OptionsFor<User, Options> = undefined extends User ? [options?: Options] : [options: Options];

/** The user of an accepted upgrade: a result of `authorize`. */
export type Admission<User = unknown> = UserOf<User> & {
  /** Identifies the user on all nodes, 1 to 254 bytes. */
  readonly key?: string | undefined;
};

/** A refused upgrade: a result of `authorize`. */
export interface Refusal {
  /** The status of the HTTP response. `snowmesh/client` gets it as the event `denied`, and does not try again. */
  readonly status: 401 | 403;
  /** The text of the HTTP response. `snowmesh/client` gets its first 120 bytes. Default `not authorized`. */
  readonly reason?: string | undefined;
}

/** How long `authorize` may take. */
const AUTHORIZE_MS = 10_000;

type Decision = Admission | Refusal;

interface Authorizing {
  authorize?(request: IncomingMessage): Decision | PromiseLike<Decision>;
}

/**
 * What `authorize` answers; without it every upgrade is accepted. Rejects with what it throws, when it takes too long, and when its answer is
 * neither a user nor a refusal.
 */
export async function askAuthorize(options: Authorizing, request: IncomingMessage): Promise<Decision> {
  if (options.authorize === undefined) return {};
  const answer: unknown = await inTime(options.authorize(request));
  if (typeof answer !== 'object' || answer === null) throw badAnswer(kindOf(answer));
  const { key, status, reason } = answer as { key?: unknown; status?: unknown; reason?: unknown };
  if (status !== undefined) {
    if (!Number.isInteger(status) || Number(status) < 400 || Number(status) > 599)
      throw badAnswer(`one with the status ${inspect(status)}`);
    if (reason !== undefined && typeof reason !== 'string')
      throw badAnswer(`one whose reason is ${kindOf(reason)}`);
  } else if (key !== undefined) keyRoom(key as string); // throws for an invalid key
  return answer;
}

function badAnswer(what: string): SnowmeshError {
  return new SnowmeshError(
    'SNOW_ERR_BAD_ARGUMENT',
    `authorize must return an object with \`key\` and \`user\`, or a refusal with the status 401 or 403, not ${what}; put fields of your own into \`user\`.`,
  );
}

async function inTime<T>(answer: T | PromiseLike<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`authorize took more than ${AUTHORIZE_MS} ms`)), AUTHORIZE_MS);
    timer.unref(); // the server keeps the process alive
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
