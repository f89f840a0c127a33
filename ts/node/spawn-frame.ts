import type { RemoteSpawn } from '../actor/index.ts';
import { SnowmeshError } from '../errors/index.ts';
import type { FrameWriter } from '../term/index.ts';
import { FrameTag } from '../wire/index.ts';
import type { Outgoing } from './session/outgoing.ts';

/** Bits of SPAWN's flags. */
const LINK_FLAG = 1;
const MONITOR_FLAG = 2;
const START_FLAG = 4;

/** Sends SPAWN. Throws SNOW_ERR_SPAWN with the reason `overload` when it is long and the backlog is full: nothing is sent then. */
export function sendSpawn(route: Outgoing, order: RemoteSpawn): void {
  const isSent = route.boundedSignal(order.from.local, FrameTag.SPAWN, (frame) => write(frame, order));
  if (isSent) return;
  const { function: name, node } = order;
  const why = `Cannot spawn ${name} on ${node}: too much waits to be sent there. Wait with sendWait, or raise outbox.limit.`;
  throw new SnowmeshError('SNOW_ERR_SPAWN', why, { details: { node, name, reason: 'overload' } });
}

function write(frame: FrameWriter, order: RemoteSpawn): void {
  const { from, request, link, monitor, start, args } = order;
  frame.pid(from);
  frame.ref(request);
  frame.u8(
    (link ? LINK_FLAG : 0) |
      (monitor === undefined ? 0 : MONITOR_FLAG) |
      (start === undefined ? 0 : START_FLAG),
  );
  frame.ref(monitor ?? request);
  frame.name(order.function);
  frame.term(start === undefined ? args : [args, start.name ?? null, travelling(start.timeout)]);
}

/** A time in ms as it travels; null: no limit. */
function travelling(ms: number): number | null {
  return ms === Number.POSITIVE_INFINITY ? null : ms;
}
