// The one table of error codes. docs/errors.md is checked against it.

/** What a code means and what to do. */
export interface ErrorEntry {
  readonly summary: string;
  readonly remedy: string;
}

export const ERRORS = {
  SNOW_ERR_BAD_TERM: { summary: 'Bytes are no valid term.', remedy: 'Decode only what encodeTerm wrote, whole.' },
  SNOW_ERR_TOO_DEEP: { summary: 'A message is nested deeper than 128.', remedy: 'Flatten the data; the message names the path.' },
  SNOW_ERR_TOO_LARGE: { summary: 'A message exceeds the size limit.', remedy: 'Split it, or raise maxMessage on all nodes.' },
  SNOW_ERR_UNSENDABLE: { summary: 'A value cannot travel in a message.', remedy: 'Send plain data; the message names the path.' },
  SNOW_ERR_NODE_NAME: {
    summary: 'A node name breaks a rule.',
    remedy: 'The message says which; a name is name@host, name@host:port or name@[ipv6]:port.',
  },
  SNOW_ERR_COOKIE_MISSING: {
    summary: 'A named node was started without a cookie.',
    remedy: 'Pass `cookie` or `cookieFile`; make one with `openssl rand -base64 32`.',
  },
  SNOW_ERR_COOKIE_WEAK: {
    summary: 'The cookie is too short or too uniform.',
    remedy: 'At least 16 bytes and 6 different characters; make one with `openssl rand -base64 32`.',
  },
  SNOW_ERR_COOKIE_FILE: {
    summary: 'The cookie file is missing, empty, or open to everybody.',
    remedy: 'Write the cookie into it and `chmod 600` it.',
  },
  SNOW_ERR_LISTEN: {
    summary: 'The address of a node cannot be listened on.',
    remedy: 'The message holds the reason; port 0 takes a free port.',
  },
  SNOW_ERR_NOT_ALIVE: {
    summary: 'The node is not part of a cluster: it has no name, or was stopped.',
    remedy: 'Start it with a name and a cookie, or start a new one.',
  },
  SNOW_ERR_NATIVE_MISSING: {
    summary: 'No native core could be loaded for this platform.',
    remedy: 'The message says what was looked for and what to run.',
  },
  SNOW_ERR_NATIVE_ABI: {
    summary: 'The native core was built for another version of snowmesh.',
    remedy: 'Reinstall, or run `npm run build:native` in a checkout.',
  },
  SNOW_ERR_NATIVE_FAULT: {
    summary: 'The native core failed in a way that is a defect of snowmesh.',
    remedy: 'Report it with the message.',
  },
  SNOW_ERR_NO_NODE: {
    summary: 'A node handle is not open any more.',
    remedy: 'Do not use a node after `stop`.',
  },
  SNOW_ERR_TOO_MANY_NODES: {
    summary: 'More node identities were seen than can be numbered.',
    remedy: 'Restart the node; find out who announces so many.',
  },
  SNOW_ERR_TOO_MANY_LANES: {
    summary: 'More threads joined a node than the 64 it can have.',
    remedy: 'Start fewer worker threads.',
  },
  SNOW_ERR_START: {
    summary: 'An actor did not start.',
    remedy: 'details.reason says why: what its init threw or exited with; details.ignore: it declined.',
  },
  SNOW_ERR_BAD_CHILD_SPEC: {
    summary: 'A child spec makes no sense.',
    remedy: 'The message names the child and what is wrong with it.',
  },
  SNOW_ERR_BAD_OPTION: {
    summary: 'An option has a value it cannot have.',
    remedy: 'The message names the option and the value.',
  },
  SNOW_ERR_NO_CALL: {
    summary: 'A server asked for its caller while no call was being handled.',
    remedy: 'Use context.from in call handlers only; keep it in a variable for later.',
  },
  SNOW_ERR_TASK: {
    summary: 'A task was asked for its result by somebody who may not, or more than once.',
    remedy: 'Only the actor that started a task awaits it, and once.',
  },
} as const satisfies Record<string, ErrorEntry>;

/** Stable name of an error. */
export type ErrorCode = keyof typeof ERRORS;
