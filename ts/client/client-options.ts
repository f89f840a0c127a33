import { type ConnectorOptions, isSocketUrl } from './connector.ts';
import { kindOf, misuse } from './errors.ts';

/** Options of {@link connectRooms}. */
export interface ClientOptions extends ConnectorOptions {
  /** The `client.state` of an earlier client, whose session, rooms and unacknowledged messages this client continues. Default: a new session. */
  readonly state?: string | undefined;
  /** Most messages that the server has not acknowledged yet. Beyond it `send` returns false. Default 1 000. */
  readonly queue?: number | undefined;
}

/** The longest delay of a timer. Unit: ms. */
const MAX_DELAY = 2_147_483_647;

/** The valid values of each option: a check, and its description for errors. */
const OPTIONS: {
  readonly [O in keyof Required<ClientOptions>]: readonly [(value: unknown) => boolean, string];
} = {
  WebSocket: [(value) => typeof value === 'function', 'a class of WebSockets'],
  minDelay: [isDelay, `0 to ${MAX_DELAY} ms`],
  maxDelay: [isDelay, `0 to ${MAX_DELAY} ms`],
  random: [(value) => typeof value === 'function', 'a function'],
  state: [(value) => typeof value === 'string', 'the text of client.state'],
  queue: [(value) => Number.isSafeInteger(value) && (value as number) > 0, 'a whole number from 1'],
};

/** Checks the names and values of options. @throws SNOW_ERR_BAD_OPTION */
export function checkOptions(options: unknown): void {
  const refuse = (message: string): never => {
    throw misuse('SNOW_ERR_BAD_OPTION', `connectRooms: ${message}`);
  };
  if (typeof options !== 'object' || options === null || typeof Reflect.get(options, 'then') === 'function')
    return refuse(`options are an object, not ${kindOf(options)}`);
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(OPTIONS, name))
      refuse(`there is no option ${name}; there are ${Object.keys(OPTIONS).join(', ')}`);
    const [isRight, wanted] = OPTIONS[name as keyof ClientOptions];
    if (value !== undefined && !isRight(value)) refuse(`option ${name} is ${wanted}, not ${kindOf(value)}`);
  }
}

/** The URLs to connect to, at least one. @throws SNOW_ERR_BAD_ARGUMENT */
export function checkUrls(urls: unknown): readonly string[] {
  const list: readonly unknown[] = Array.isArray(urls) ? urls : [urls];
  const wrong = list.findIndex((url) => !isSocketUrl(url));
  if (list.length > 0 && wrong === -1) return list as readonly string[];
  const given = list.length === 0 ? 'an empty array' : kindOf(list[wrong]);
  const wanted = 'a URL that begins with wss:// or ws://, or an array of them';
  throw misuse('SNOW_ERR_BAD_ARGUMENT', `connectRooms needs ${wanted}, not ${given}`);
}

function isDelay(value: unknown): boolean {
  return typeof value === 'number' && value >= 0 && value <= MAX_DELAY;
}
