// Writes the frames of signals with several fields. When the backlog is full, a short value replaces a long one.
import {
  type CallRequest,
  type ExitReason,
  type NodeAddress,
  type RemoteSpawn,
  ReplyStatus,
  type RingProbe,
} from '../actor/index.ts';
import { SnowmeshError } from '../errors/index.ts';
import { type FrameWriter, Pid, type Ref } from '../term/index.ts';
import { FOR_EVER, FrameTag } from '../wire/index.ts';
import type { Outgoing } from './session/outgoing.ts';

/** Bits of SPAWN's flags. */
const LINK_FLAG = 1;
const MONITOR_FLAG = 2;
const START_FLAG = 4;

/** Replaces a long reason when the backlog is full. */
const LEFT_OUT = { unsendable: 'overload' };

/** Sends SPAWN. When it is long and the backlog is full, throws SNOW_ERR_SPAWN with the reason `overload` and sends nothing. */
export function sendSpawn(route: Outgoing, order: RemoteSpawn): void {
  const isSent = route.boundedSignal(order.from.local, FrameTag.SPAWN, (frame) => writeSpawn(frame, order));
  if (isSent) return;
  const { function: name, node } = order;
  const why = `Cannot spawn ${name} on ${node}: the outbox for that node is full. Wait with sendWait, or raise outbox.limit.`;
  throw new SnowmeshError('SNOW_ERR_SPAWN', why, { details: { node, name, reason: 'overload' } });
}

/** Sends a signal that ends with a reason. When the backlog is full, a long reason is replaced, and the signal is sent all the same. */
export function sendReason(
  route: Outgoing | undefined,
  sender: number,
  tag: number,
  reason: ExitReason,
  head: (frame: FrameWriter) => void,
): void {
  const write = (why: ExitReason) => (frame: FrameWriter) => {
    head(frame);
    frame.term(why);
  };
  if (route?.boundedSignal(sender, tag, write(reason)) === false) route.signal(sender, tag, write(LEFT_OUT));
}

/** Sends MONITOR. */
export function sendMonitor(route: Outgoing, from: Pid, ref: Ref, target: Pid | NodeAddress): void {
  route.signal(from.local, FrameTag.MONITOR, (frame) => {
    frame.pid(from);
    frame.ref(ref);
    frame.u8(target instanceof Pid ? 0 : 1);
    if (target instanceof Pid) frame.pid(target);
    else frame.name(target.name);
  });
}

/** The channel of probes for rings of waiting actors (docs/wire.md, section 12). */
export const WAITS_CHANNEL = 'waits';

/** Sends a probe. */
export function sendProbe(route: Outgoing, probe: RingProbe): void {
  route.signal(0, FrameTag.SYSTEM, (frame) => {
    frame.name(WAITS_CHANNEL);
    frame.term(probe);
  });
}

/** Sends CALL or REG_CALL. `ms` is the time that the caller has left. */
export function sendCall(
  route: Outgoing,
  from: Pid,
  ref: Ref,
  ms: number,
  target: Pid | NodeAddress,
  request: CallRequest,
): void {
  const time = ms < FOR_EVER ? Math.max(0, Math.ceil(ms)) : FOR_EVER;
  route.signal(from.local, target instanceof Pid ? FrameTag.CALL : FrameTag.REG_CALL, (frame) => {
    frame.pid(from);
    frame.ref(ref);
    frame.u32(time);
    if (target instanceof Pid) frame.pid(target);
    else frame.name(target.name);
    frame.term(request);
  });
}

/** Sends REPLY. When the backlog is full, `overload` replaces a long value: only the call fails, not the session. */
export function sendReply(
  route: Outgoing,
  sender: number,
  ref: Ref,
  status: ReplyStatus,
  value: unknown,
): void {
  const write = (answer: ReplyStatus, content: unknown) => (frame: FrameWriter) => {
    frame.ref(ref);
    frame.u8(answer);
    frame.term(content);
  };
  const isSent = route.boundedSignal(sender, FrameTag.REPLY, write(status, value));
  if (!isSent) route.signal(sender, FrameTag.REPLY, write(ReplyStatus.overload, undefined));
}

function writeSpawn(frame: FrameWriter, order: RemoteSpawn): void {
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
  frame.term(start === undefined ? args : [args, start.name ?? null, timeoutTerm(start.timeout)]);
}

/** A timeout in ms as a term; null: no limit. */
function timeoutTerm(ms: number): number | null {
  return ms === Number.POSITIVE_INFINITY ? null : ms;
}
