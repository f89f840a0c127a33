// The one table of error codes. docs/errors.md is checked against it.

/** What a code means and what to do. */
export interface ErrorEntry {
  readonly summary: string;
  readonly remedy: string;
}

/** What each error code means and what to do about it; docs/errors.md as data. */
export const ERRORS = {
  SNOW_ERR_NOT_LOCAL: {
    summary: 'What was to get a local name, a key, a group or news of nodes is no living actor of this node.',
    remedy: 'Register, join and subscribe only actors that live here, by their PID.',
  },
  SNOW_ERR_RECEIVE_HANDLER: {
    summary: 'A handler actor cannot receive.',
    remedy: 'Handle messages in onMessage, or write the actor as a function.',
  },
  SNOW_ERR_BAD_TERM: {
    summary: 'Bytes are no valid term.',
    remedy: 'Decode only what encodeTerm wrote, whole.',
  },
  SNOW_ERR_TOO_DEEP: {
    summary: 'A message is nested deeper than 128.',
    remedy: 'Flatten the data; the message names the path.',
  },
  SNOW_ERR_TOO_LARGE: {
    summary: 'A message exceeds the size limit.',
    remedy: 'Split it, or raise maxMessage on all nodes.',
  },
  SNOW_ERR_UNSENDABLE: {
    summary: 'A value cannot travel in a message.',
    remedy: 'Send plain data; the message names the path.',
  },
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
  SNOW_ERR_DISCOVERY: {
    summary: 'A look-up of nodes failed; it is tried again, and what was found before still holds.',
    remedy: 'The message says what was asked and why it failed.',
  },
  SNOW_ERR_PORTMAP: {
    summary: 'A port mapper cannot be reached, refused a request, or answered nonsense.',
    remedy:
      'The message says which; `snowmesh portmap` starts one, or the option `embed` of `portmapDiscovery`.',
  },
  SNOW_ERR_PORTMAP_TAKEN: {
    summary: 'A living node on this machine is registered under that name.',
    remedy: 'Choose another name, or stop the other node.',
  },
  SNOW_ERR_NOT_READY: {
    summary: 'Not enough peers were connected in time.',
    remedy: 'The message names who is missing; see whether they run and can be reached.',
  },
  SNOW_ERR_NOT_ALIVE: {
    summary: 'The node is not part of a cluster: it has no name, or was stopped.',
    remedy: 'Start it with a name and a cookie, or start a new one.',
  },
  SNOW_ERR_INTROSPECTION: {
    summary: 'A node did not answer what was asked about it.',
    remedy:
      'details.reason: off (it does not answer), busy, timeout, nodedown (connect to it), stopped (this node), unknown (it has another version), bad, failed or nonsense.',
  },
  SNOW_ERR_NATIVE_MISSING: {
    summary: 'No native core could be loaded for this platform.',
    remedy: 'The message says what was looked for and what to run.',
  },
  SNOW_ERR_NATIVE_DENIED: {
    summary: 'Node.js was started with options that forbid to load the native core.',
    remedy: 'Add --allow-addons and --allow-fs-read; the message says for what.',
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
    remedy:
      'details.reason says why: what its init threw or exited with, { alreadyStarted: pid } for a taken name, timeout, noconnection (details.why: how the node got out of reach) or unknown_function for another node; details.ignore: it declined.',
  },
  SNOW_ERR_BAD_CHILD_SPEC: {
    summary: 'A child spec makes no sense.',
    remedy: 'The message names the child and what is wrong with it.',
  },
  SNOW_ERR_BAD_OPTION: {
    summary: 'An option does not exist, or has a value it cannot have.',
    remedy: 'The message names the option, and the value or the option that was probably meant.',
  },
  SNOW_ERR_BAD_ARGUMENT: {
    summary: 'An argument is not what the function takes.',
    remedy: 'The message says what it needs, and what it got.',
  },
  SNOW_ERR_NO_CALL: {
    summary: 'A server asked for its caller while no call was being handled.',
    remedy: 'Use context.from in call handlers only; keep it in a variable for later.',
  },
  SNOW_ERR_TASK: {
    summary: 'A task was asked for its result by somebody who may not, or more than once.',
    remedy: 'Only the actor that started a task awaits it, and once.',
  },
  SNOW_ERR_ACTOR_DEAD: {
    summary: 'An actor leaves its code by this throw: `self.exit`, also after its death.',
    remedy:
      'Let it pass. In a callback of Node.js use `self.runtime.sendExit(self.pid, reason)`, which does not throw.',
  },
  SNOW_ERR_FOREIGN_PID: {
    summary: 'A PID of another node object of this process was used.',
    remedy: 'Send it in a message instead of sharing it in memory; each node has its own numbering.',
  },
  SNOW_ERR_NAME_TAKEN: {
    summary: 'A local name belongs to another actor.',
    remedy: 'details.holder has it; unregister it first, or choose another name.',
  },
  SNOW_ERR_NAME_UNKNOWN: {
    summary: 'Nobody has the name a message was sent to.',
    remedy: 'Ask `whereis` first, or send to { name, node }, which is silent.',
  },
  SNOW_ERR_TOO_MANY_MEMBERS: {
    summary: 'The actors of a node are in as many groups as they may be.',
    remedy: 'Leave some, or raise maxMembershipsPerNode on all nodes.',
  },
  SNOW_ERR_TOO_MANY_NAMES: {
    summary: 'A node has as many global names as it may have.',
    remedy: 'Unregister some, or raise maxNamesPerNode on all nodes.',
  },
  SNOW_ERR_BAD_NAME: {
    summary: 'What was given as a name, a key or a room is none.',
    remedy: 'A name has 1 to 255 bytes of text and is not "undefined"; the message says what else holds.',
  },
  SNOW_ERR_ROOM_REFUSED: {
    summary: 'The server did not let a client of rooms into a room.',
    remedy: 'The message has the reason that the server gave.',
  },
  SNOW_ERR_CLIENT_CLOSED: {
    summary: 'The client of rooms was closed, and its requests ended.',
    remedy: 'Connect anew.',
  },
  SNOW_ERR_NO_WS: {
    summary: 'Rooms cannot be attached to an HTTP server without the package `ws`.',
    remedy: 'npm install ws, or give sockets of another library to rooms.accept.',
  },
  SNOW_ERR_NO_REDIS: {
    summary: 'Rooms cannot be bridged over Redis without the package `ioredis`.',
    remedy: 'npm install ioredis, or give another RoomBridge to createRooms.',
  },
  SNOW_ERR_NO_OTEL: {
    summary: 'Actors cannot be traced without the package `@opentelemetry/api`.',
    remedy: 'npm install @opentelemetry/api.',
  },
  SNOW_ERR_NO_PROMETHEUS: {
    summary: 'Metrics cannot be collected without the package `prom-client`.',
    remedy: 'npm install prom-client.',
  },
  SNOW_ERR_BAD_CALLER: {
    summary: 'What was to act is neither an actor nor a node.',
    remedy:
      'Pass `self` inside of an actor and the node elsewhere, as the first argument: call(self, …), call(node, …).',
  },
  SNOW_ERR_BAD_DEST: {
    summary: 'What was given is no address of an actor.',
    remedy: 'Use a PID, a local name, { name, node } or an alias; only a PID can get a global name.',
  },
  SNOW_ERR_BAD_TIME: {
    summary: 'A time is no number of milliseconds that makes sense.',
    remedy: 'Timers take ms from 0 to 2^53 - 1, timeouts also Infinity; fractions are rounded up.',
  },
  SNOW_ERR_BAD_MATCH: {
    summary: 'A receive was asked for something that cannot be matched.',
    remedy: 'Use a tag, a reference, a message class, a predicate, or an array of those.',
  },
  SNOW_ERR_RECEIVE_PENDING: {
    summary: 'An actor called receive while a receive of its own was waiting, or from within a predicate.',
    remedy: 'Await one receive at a time; an array matches any of several.',
  },
  SNOW_ERR_NOT_SPAWNABLE: {
    summary:
      'What was to be spawned is neither an actor function nor a spec, or its init returned no handler.',
    remedy: 'Pass a function, or what defineActor, defineServer, … returned; return a handler from init.',
  },
  SNOW_ERR_SPAWN: {
    summary: 'An actor could not be spawned on another node.',
    remedy:
      'details.reason: noconnection (details.why: how the node got out of reach), unknown_function (expose it there), bad_arguments (the other node does not understand the request: update it), or why its start failed.',
  },
  SNOW_ERR_NO_VOTE: {
    summary: 'A node that answers did not vote on a global name for a minute.',
    remedy: 'Disconnect or stop the node that the message names, and register again.',
  },
  SNOW_ERR_HIDDEN_NODE: {
    summary: 'A hidden node takes no part in global names.',
    remedy: 'Start the node without `hidden`, or ask a visible node.',
  },
  SNOW_ERR_STOPPED: {
    summary: 'The node was stopped, or is stopping.',
    remedy: 'Start a new one.',
  },
  SNOW_ERR_CALL_TIMEOUT: {
    summary: 'A call had no answer in time; it may still be handled.',
    remedy: 'Raise the timeout, or find out why the target is slow: the message names it.',
  },
  SNOW_ERR_CALL_ABORTED: {
    summary: 'A call was given up by its AbortSignal.',
    remedy: 'The cause is the reason of the signal.',
  },
  SNOW_ERR_CALL_NOPROC: {
    summary: 'There is no such actor to call.',
    remedy: 'It has ended, was never there, or the name is not registered.',
  },
  SNOW_ERR_CALL_EXIT: {
    summary: 'The called actor ended before it answered.',
    remedy: 'reason says why it ended.',
  },
  SNOW_ERR_CALL_NODEDOWN: {
    summary: 'The node of the called actor is out of reach, or was lost during the call.',
    remedy: 'node names it; the call may have been handled.',
  },
  SNOW_ERR_CALL_ERROR: {
    summary: 'The called actor answered with an error.',
    remedy: 'reason is the error.',
  },
  SNOW_ERR_CALL_SELF: {
    summary: 'An actor called itself and would have waited for ever.',
    remedy: 'Call the function behind it instead.',
  },
  SNOW_ERR_CALL_CYCLE: {
    summary: 'Actors wait for each other in a ring; this call is part of it.',
    remedy: 'The message names the ring; let one of them send instead of call, or answer later.',
  },
  SNOW_ERR_CALL_OVERLOAD: {
    summary:
      'The mailbox of the called actor, or of the target of `sendWait`, or the way to its node, is full.',
    remedy: 'Try again later, or raise the limit.',
  },
  SNOW_ERR_CALL_UNKNOWN: {
    summary: 'The called actor has no handler for that call.',
    remedy: 'The message names the tag.',
  },
} as const satisfies Record<string, ErrorEntry>;

/** Stable name of an error. */
export type ErrorCode = keyof typeof ERRORS;
