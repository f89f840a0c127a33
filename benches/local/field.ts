// Which Node.js libraries can do each local case, how, and which cannot. The code is in `benches/peers/local/`.
import type { NodeRivals } from '../harness.ts';

/** What to know about each library when reading its figures. None copies or freezes messages here. */
export const LIBRARIES: Readonly<Record<string, string>> = {
  actor: 'generator tasks without a mailbox or an address: an array a task stands in; no copies',
  comedy: 'in-memory actors; a send is two promises, a slow handler lets the next message in; no copies',
  effect: 'a fiber and an unbounded queue an actor; no addresses, anybody may take; no copies',
  nact: 'one message an actor and turn of the event loop; no copies',
  xstate: 'actors with fromTransition logic; a send runs the receiver on the stack of the sender; no copies',
};

export const FIELD = {
  pingPong: {
    case: 'ping-pong',
    rivals: ['actor', 'xstate', 'nact', 'effect', 'comedy'],
  },
  fanIn: {
    case: 'fan-in_8-to-1',
    rivals: ['actor', 'xstate', 'nact', 'effect', 'comedy'],
    remarks: { xstate: 'the mailbox never fills: each send runs the receiver at once' },
  },
  ring: {
    case: 'ring_1000',
    rivals: ['actor', 'nact', 'effect', 'comedy'],
    absent: { xstate: 'its sends are nested calls, so a ring of 1000 overflows the stack' },
  },
  call: {
    case: 'call',
    rivals: ['actor', 'nact', 'effect', 'comedy'],
    absent: { xstate: 'no request and reply' },
    remarks: {
      actor: 'a promise a call by hand; no time limit, a dead server is not noticed',
      effect: 'a Deferred a call; no time limit, a dead server is not noticed',
      comedy: 'no time limit',
      nact: 'with a time limit; a dead server is noticed only by it',
    },
  },
  spawn: {
    case: 'spawn_1M',
    rivals: ['actor', 'xstate', 'nact', 'effect', 'comedy'],
    remarks: {
      comedy: '200 000 instead of 1 000 000: each takes some promises',
      xstate: '200 000 instead of 1 000 000, which takes a minute',
    },
  },
  selectiveReceive: {
    case: 'selective-receive_10000',
    rivals: ['array'],
    absent: {
      actor: 'no mailbox',
      comedy: 'no receive',
      effect: 'its queues give the oldest only',
      nact: 'no receive',
      xstate: 'no receive: what a state does not want is dropped',
    },
    remarks: { array: 'not a library: an array by hand, searched from its start' },
  },
  monitorDown: {
    case: 'watched-stop_100k',
    rivals: ['actor', 'xstate', 'nact', 'effect', 'comedy'],
    remarks: {
      actor: 'a promise a task, its end without a reason',
      comedy: "the actor's own destroy hook sends: nobody else can watch it",
      effect: 'an observer a fiber, a call instead of a message',
      nact: "the actor's own afterStop hook sends: nobody else can watch it",
      xstate: 'a subscription an actor, a call instead of a message',
    },
  },
  restart: {
    case: 'restart',
    rivals: ['actor', 'xstate', 'nact', 'effect'],
    absent: { comedy: 'an in-memory actor that throws goes on; only whole processes are restarted' },
    remarks: {
      actor: 'no supervisor: a loop by hand that joins, catches and forks anew; no limit of restarts',
      effect: 'the same fiber tries again: no new actor, no limit of restarts',
      nact: 'the state of the same actor is reset: no new actor, no limit of restarts',
      xstate: 'no supervisor: a machine by hand that invokes a child anew on its error; no limit of restarts',
    },
  },
  timers: {
    case: 'timers_1M',
    rivals: ['set-timeout', 'actor', 'xstate', 'effect'],
    absent: { comedy: 'no timers', nact: 'no timers for messages' },
    remarks: {
      'set-timeout': 'not a library: setTimeout, a call instead of a message',
      actor: '20 000 instead of 1 000 000: a task a timer, and its queue of tasks is shifted one by one',
      effect: '200 000 instead of 1 000 000: a fiber a timer',
      xstate: '200 000 instead of 1 000 000',
    },
  },
} as const satisfies Readonly<Record<string, NodeRivals>>;
