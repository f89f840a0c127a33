// The one table of error codes. docs/errors.md is checked against it.

/** What a code means and what to do. */
export interface ErrorEntry {
  readonly summary: string;
  readonly remedy: string;
}

/** What each error code means and what to do about it; docs/errors.md as data. */
export const ERRORS = {
  SNOW_ERR_ACTOR_DEAD: {
    summary:
      '`self.exit` throws this to leave the code of its actor, also after the actor has ended. A connection of rooms has no PID before the hello of its client.',
    remedy:
      'Do not catch it. In a callback of Node.js use `self.runtime.sendExit(self.pid, reason)`, which does not throw.',
  },
  SNOW_ERR_ALREADY_STARTED: {
    summary: 'Groups of that scope, global names or rooms were started on this node already.',
    remedy: 'Use what the first call returned, or close that first.',
  },
  SNOW_ERR_BAD_ARGUMENT: {
    summary: 'An argument is invalid.',
    remedy: 'The message says what the function needs and what it got.',
  },
  SNOW_ERR_BAD_CALLER: {
    summary: 'The first argument is neither an actor nor a node.',
    remedy:
      'Pass `self` inside of an actor and the node elsewhere, as the first argument: call(self, …), call(node, …).',
  },
  SNOW_ERR_BAD_CHILD_SPEC: {
    summary: 'A child spec is invalid.',
    remedy: 'The message names the child and the fault.',
  },
  SNOW_ERR_BAD_DEST: {
    summary: 'A destination is not an address of an actor.',
    remedy: 'Use a PID, a local name, { name, node } or an alias; only a PID can get a global name.',
  },
  SNOW_ERR_BAD_MATCH: {
    summary: 'The first argument of receive is not something that it can match.',
    remedy:
      'Use a tag, a reference, a message class, a pattern of plain values, a predicate, or an array of those.',
  },
  SNOW_ERR_BAD_NAME: {
    summary: 'A name, a key or a room name is invalid.',
    remedy:
      'Names have 1 to 255 bytes of text and are not "undefined"; the message says which further rule applies.',
  },
  SNOW_ERR_BAD_OPTION: {
    summary: 'An option is unknown or has an invalid value.',
    remedy: 'The message names the option and its allowed values, or the option that was probably meant.',
  },
  SNOW_ERR_BAD_TERM: {
    summary: 'The bytes are not a valid term.',
    remedy: 'Pass the complete output of encodeTerm.',
  },
  SNOW_ERR_BAD_TIME: {
    summary: 'A time is not a valid number of milliseconds.',
    remedy: 'Timers take 0 to 2^53 - 1 ms, timeouts also Infinity; fractions are rounded up.',
  },
  SNOW_ERR_CALL_ABORTED: {
    summary: 'A call was aborted by its AbortSignal.',
    remedy: 'The cause is the reason of the signal.',
  },
  SNOW_ERR_CALL_CYCLE: {
    summary: 'The call would close a cycle of actors that wait for each other.',
    remedy: 'The message names the cycle; let one of them send instead of call, or answer later.',
  },
  SNOW_ERR_CALL_ERROR: {
    summary: 'The node of the called actor answered with an error. Only nodes of other implementations do.',
    remedy: 'reason is that error. With snowmesh a handler that throws ends its actor: SNOW_ERR_CALL_EXIT.',
  },
  SNOW_ERR_CALL_EXIT: {
    summary: 'The called actor ended before it answered, also because its handler threw.',
    remedy:
      'reason is its exit reason. { error, stack }: it threw; call again once its supervisor has restarted it. normal or shutdown: it was stopped; start it, or look up what has its name now.',
  },
  SNOW_ERR_CALL_NODEDOWN: {
    summary: 'The node of the called actor cannot be reached, or was lost during the call.',
    remedy:
      'node is its name, details.why the cause; the call may have been handled. Call again once `node.connect` has connected to it.',
  },
  SNOW_ERR_CALL_NOPROC: {
    summary: 'The called actor does not exist.',
    remedy:
      'It has ended, or the name is not registered; let a supervisor restart it, and call it by name. With the reason `stopped` the node of the caller was stopped.',
  },
  SNOW_ERR_CALL_OVERLOAD: {
    summary:
      'The mailbox of the target or the output to its node is full, or too many calls of this node wait there.',
    remedy: 'Try again later, or raise the limit.',
  },
  SNOW_ERR_CALL_SELF: {
    summary: 'An actor called itself and would have waited for ever.',
    remedy: 'Call the function behind the handler instead.',
  },
  SNOW_ERR_CALL_TIMEOUT: {
    summary: 'A call got no answer in time; the target may still handle it.',
    remedy: 'Raise the timeout, or find out why the target is slow: the message names it.',
  },
  SNOW_ERR_CALL_UNKNOWN: {
    summary: 'The called actor has no handler for the call.',
    remedy: 'The message names the tag.',
  },
  SNOW_ERR_CLIENT_CLOSED: {
    summary: 'The client of rooms was closed, or refused by the server, while a request was pending.',
    remedy: 'Create a new client with connectRooms.',
  },
  SNOW_ERR_COOKIE_FILE: {
    summary: 'The cookie file is missing, empty, or every user may read or write it.',
    remedy: 'Write the cookie into it and `chmod 600` it.',
  },
  SNOW_ERR_COOKIE_MISSING: {
    summary: 'A named node was started without a cookie.',
    remedy: 'Pass `cookie` or `cookieFile`; make one with `openssl rand -base64 32`.',
  },
  SNOW_ERR_COOKIE_WEAK: {
    summary: 'The cookie is too short or too uniform.',
    remedy: 'Use at least 16 bytes and 6 different characters; make one with `openssl rand -base64 32`.',
  },
  SNOW_ERR_DISCOVERY: {
    summary: 'A look-up of nodes failed. It is repeated, and the nodes found before stay valid.',
    remedy: 'The message names the look-up and the reason.',
  },
  SNOW_ERR_EXIT_CALLBACK: {
    summary: 'A callback of `onExit` threw, or its promise rejected.',
    remedy: 'It is only logged, with the error; catch it in the callback.',
  },
  SNOW_ERR_FOREIGN_PID: {
    summary: 'A PID of another node in this process was used.',
    remedy: 'Send PIDs in messages instead of sharing them in memory; each node has its own numbering.',
  },
  SNOW_ERR_HIDDEN_NODE: {
    summary: 'A hidden node cannot use global names.',
    remedy: 'Start the node without `hidden`, or send a request to an actor of a visible node.',
  },
  SNOW_ERR_INTROSPECTION: {
    summary: 'A node did not answer a query about its state.',
    remedy:
      'details.reason: off (it answers no queries), busy, timeout, nodedown (connect to it first), stopped (this node), unknown (the other node runs another version), bad (invalid query), failed, or bad_answer (invalid answer).',
  },
  SNOW_ERR_LISTEN: {
    summary: 'A node, port mapper, observer or health server cannot listen on its address.',
    remedy: 'The message has the reason; port 0 takes any free port.',
  },
  SNOW_ERR_NAME_TAKEN: {
    summary: 'The local name belongs to another actor.',
    remedy: 'details.holder is its PID; unregister it first, or choose another name.',
  },
  SNOW_ERR_NAME_UNKNOWN: {
    summary: 'No actor has the local name that a message was sent to.',
    remedy: 'Check `whereis` first, or send to { name, node }, which does not throw.',
  },
  SNOW_ERR_NATIVE_ABI: {
    summary: 'The native core was built for another version of snowmesh.',
    remedy: 'Reinstall, or run `npm run build:native` in a checkout.',
  },
  SNOW_ERR_NATIVE_DENIED: {
    summary: 'Node.js was started with options that forbid loading the native core.',
    remedy: 'Add --allow-addons and --allow-fs-read with the paths that the message names.',
  },
  SNOW_ERR_NATIVE_FAULT: {
    summary:
      'The native core failed: the system refused a thread or a file descriptor, or snowmesh has a defect.',
    remedy:
      'If the message is of open files or threads, raise that limit of the process; otherwise report it with the message.',
  },
  SNOW_ERR_NATIVE_MISSING: {
    summary: 'There is no native core for this platform.',
    remedy: 'The message lists the files that were tried and the command to run.',
  },
  SNOW_ERR_NODE_NAME: {
    summary: 'A node name is invalid.',
    remedy: 'The message says which rule it breaks; a name is name@host, name@host:port or name@[ipv6]:port.',
  },
  SNOW_ERR_NOT_ALIVE: {
    summary: 'The node was started without a name, or its groups, global names or rooms were closed.',
    remedy: 'Start it with a name and a cookie; start groups, global names or rooms again.',
  },
  SNOW_ERR_NOT_LOCAL: {
    summary:
      'The actor that was to be registered, joined or subscribed does not live on this node, or has ended.',
    remedy: 'Pass the PID of a living actor of this node.',
  },
  SNOW_ERR_NOT_READY: {
    summary: 'Not enough peers were connected in time.',
    remedy: 'The message names the missing peers, and why the last attempt to reach each failed.',
  },
  SNOW_ERR_NOT_SPAWNABLE: {
    summary:
      'The value to be spawned is neither an actor function nor a spec, or its init returned no handler.',
    remedy: 'Pass a function, or the result of defineActor, defineServer, …; return a handler from init.',
  },
  SNOW_ERR_NO_CALL: {
    summary: 'A server used context.from while it was not handling a call.',
    remedy: 'Use context.from in call handlers only; keep it in a variable for later.',
  },
  SNOW_ERR_NO_NODE: {
    summary: 'A handle of a node is used after the node was closed.',
    remedy: 'Do not use a node after `stop`.',
  },
  SNOW_ERR_NO_OTEL: {
    summary: 'Actors cannot be traced without the package `@opentelemetry/api`.',
    remedy: 'npm install @opentelemetry/api.',
  },
  SNOW_ERR_NO_PROMETHEUS: {
    summary: 'Metrics cannot be collected without the package `prom-client`.',
    remedy: 'npm install prom-client.',
  },
  SNOW_ERR_NO_REDIS: {
    summary: 'Rooms cannot be bridged over Redis without the package `ioredis`.',
    remedy: 'npm install ioredis, or pass another RoomBridge to createRooms.',
  },
  SNOW_ERR_NO_VOTE: {
    summary: 'A connected node did not vote on a global name for a minute.',
    remedy: 'Disconnect or stop the node that the message names, and register again.',
  },
  SNOW_ERR_NO_WS: {
    summary: 'Rooms cannot be attached to an HTTP server without the package `ws`.',
    remedy: 'npm install ws, or pass sockets of another library to rooms.accept.',
  },
  SNOW_ERR_PORTMAP: {
    summary: 'A port mapper cannot be reached, refused a request, or gave an invalid answer.',
    remedy:
      'The message says which; `snowmesh portmap` starts one, or the option `embed` of `portmapDiscovery`.',
  },
  SNOW_ERR_PORTMAP_TAKEN: {
    summary: 'A living node on this machine is registered under that name.',
    remedy: 'Choose another name, or stop the other node.',
  },
  SNOW_ERR_RECEIVE_HANDLER: {
    summary: 'A handler actor cannot receive.',
    remedy: 'Handle messages in onMessage, or write the actor as a function.',
  },
  SNOW_ERR_RECEIVE_PENDING: {
    summary: 'An actor called receive while its previous receive was pending, or inside a predicate.',
    remedy: 'Await one receive at a time; pass an array to match any of several.',
  },
  SNOW_ERR_ROOM_FAILED: {
    summary:
      'The server could not decide whether a client may join a room, because its handler `join` has failed.',
    remedy:
      'The client asks again by itself, after delays that grow, until `leave`. The log of the server has the error.',
  },
  SNOW_ERR_ROOM_REFUSED: {
    summary: "The server refused a client's request to join a room.",
    remedy: 'The message has the reason that the server gave.',
  },
  SNOW_ERR_SPAWN: {
    summary: 'An actor could not be spawned on another node.',
    remedy:
      'details.reason: noconnection (details.why: why the node cannot be reached), unknown_function (expose it there), overload (the output to the node is full, or it has too many actors of this one, or too much memory in their arguments), bad_arguments (the other node does not understand the request: update it), or why its start failed.',
  },
  SNOW_ERR_START: {
    summary: 'An actor did not start.',
    remedy:
      'details.reason: what its init threw or exited with, { alreadyStarted: pid } if the name is taken, timeout, and for another node noconnection (details.why: why it cannot be reached), unknown_function, overload, or the code of the error that kept the request from being sent. details.ignore: its init returned ignore().',
  },
  SNOW_ERR_STOPPED: {
    summary: 'The node was stopped or is stopping.',
    remedy: 'Start a new one.',
  },
  SNOW_ERR_TASK: {
    summary: 'A task was awaited and there is no value.',
    remedy:
      'state is timeout (the task was killed: pass a longer one), exit (reason is its exit reason), awaited (await it once), or not_owner (await it in the actor that started it).',
  },
  SNOW_ERR_TOO_DEEP: {
    summary: 'A message is nested deeper than 128 levels.',
    remedy: 'Flatten the data; the message names the path.',
  },
  SNOW_ERR_TOO_LARGE: {
    summary: 'A message, or the meta of a connection in a presence, exceeds the size limit.',
    remedy:
      'Split it, or raise maxMessage on all nodes; for a client of rooms, limits.messageBytes. A meta has at most 4 KiB.',
  },
  SNOW_ERR_TOO_MANY_LANES: {
    summary: 'A node of the native core has 64 lanes already.',
    remedy: 'startNode uses one lane, so no program should see this: report it with the message.',
  },
  SNOW_ERR_TOO_MANY_MEMBERS: {
    summary:
      'The actors of a node have reached the limit of group memberships, or of 1 048 576 groups, or a connection that of its rooms.',
    remedy: 'Leave some, or raise maxMembershipsPerNode on all nodes; for rooms, limits.rooms.',
  },
  SNOW_ERR_TOO_MANY_NAMES: {
    summary: 'A node has reached its limit of global names.',
    remedy: 'Unregister some, or raise maxNamesPerNode on all nodes.',
  },
  SNOW_ERR_TOO_MANY_NODES: {
    summary: 'More node identities were seen than can be numbered.',
    remedy: 'Restart the node; find the peer that announces so many.',
  },
  SNOW_ERR_UNSENDABLE: {
    summary: 'A value cannot be sent in a message.',
    remedy: 'Send plain data; the message names the path.',
  },
} as const satisfies Record<string, ErrorEntry>;

/** Stable name of an error. */
export type ErrorCode = keyof typeof ERRORS;
