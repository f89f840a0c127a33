// Diagnostics: events of the runtime on node:diagnostics_channel.
//
// For: metrics and external monitoring tools. The modules above publish; each publishes the events of its own state.
//
// Guarantees: without a subscriber an event costs the test of one property and makes no object. A subscriber that throws disturbs nothing
// (Node.js reports the error as an uncaught exception). Must not know: the meaning of an event, or its subscribers.
import { type Channel, channel } from 'node:diagnostics_channel';
import type { DiagnosticEvents } from './events.ts';

export type { DiagnosticEvents } from './events.ts';

/** A channel whose messages have a type. Test `hasSubscribers` before a message is made. */
export interface Diagnostic<M> extends Channel<unknown, unknown> {
  publish(message: M): void;
}

function named<K extends keyof DiagnosticEvents>(name: K): Diagnostic<DiagnosticEvents[K]> {
  return channel(name) as Diagnostic<DiagnosticEvents[K]>;
}

export const actorSpawn: Diagnostic<DiagnosticEvents['snowmesh:actor:spawn']> = named('snowmesh:actor:spawn');
export const actorExit: Diagnostic<DiagnosticEvents['snowmesh:actor:exit']> = named('snowmesh:actor:exit');
export const actorCrash: Diagnostic<DiagnosticEvents['snowmesh:actor:crash']> = named('snowmesh:actor:crash');
export const mailboxLong: Diagnostic<DiagnosticEvents['snowmesh:mailbox:long']> =
  named('snowmesh:mailbox:long');
export const childRestart: Diagnostic<DiagnosticEvents['snowmesh:child:restart']> =
  named('snowmesh:child:restart');
export const messageDrop: Diagnostic<DiagnosticEvents['snowmesh:message:drop']> =
  named('snowmesh:message:drop');
export const callTimeout: Diagnostic<DiagnosticEvents['snowmesh:call:timeout']> =
  named('snowmesh:call:timeout');
/** The channels of a node's events, by event name. */
export const peerEvents: {
  readonly nodeup: Diagnostic<DiagnosticEvents['snowmesh:session:up']>;
  readonly nodedown: Diagnostic<DiagnosticEvents['snowmesh:session:down']>;
  readonly stalled: Diagnostic<DiagnosticEvents['snowmesh:peer:stall']>;
  readonly recovered: Diagnostic<DiagnosticEvents['snowmesh:peer:recover']>;
  readonly busy: Diagnostic<DiagnosticEvents['snowmesh:session:busy']>;
  readonly drain: Diagnostic<DiagnosticEvents['snowmesh:session:drain']>;
  readonly unreachable: Diagnostic<DiagnosticEvents['snowmesh:peer:unreachable']>;
  readonly refused: Diagnostic<DiagnosticEvents['snowmesh:peer:refuse']>;
} = {
  nodeup: named('snowmesh:session:up'),
  nodedown: named('snowmesh:session:down'),
  stalled: named('snowmesh:peer:stall'),
  recovered: named('snowmesh:peer:recover'),
  busy: named('snowmesh:session:busy'),
  drain: named('snowmesh:session:drain'),
  unreachable: named('snowmesh:peer:unreachable'),
  refused: named('snowmesh:peer:refuse'),
};
