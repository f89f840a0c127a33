import type { Runtime } from './runtime.ts';

// A child spec or a task holds functions, which no message may carry. Within one runtime it stays in this table, and the
// message carries its ticket. To another node the value itself is sent, if that is possible.
const waiting = new WeakMap<Runtime, Map<number, unknown>>();
let tickets = 0;

/** Keeps `thing` for a local receiver; `ticket` goes into the message, `withdraw` is for one that did not arrive. */
export function handOver(runtime: Runtime, thing: unknown): { ticket: number; withdraw: () => void } {
  let things = waiting.get(runtime);
  if (things === undefined) {
    things = new Map();
    waiting.set(runtime, things);
  }
  const kept = things;
  const ticket = ++tickets;
  kept.set(ticket, thing);
  return { ticket, withdraw: () => void kept.delete(ticket) };
}

/** The thing behind what a message carried: a ticket's, once, or what came itself. */
export function takeOver(runtime: Runtime, carried: unknown): unknown {
  if (typeof carried !== 'number') return carried;
  const things = waiting.get(runtime);
  const thing = things?.get(carried);
  things?.delete(carried);
  return thing;
}
