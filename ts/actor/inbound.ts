import type { Pid, Ref } from '../term/index.ts';
import type { ExitReason } from './exit-reason.ts';
import type { CallRequest, ReplyStatus, SpawnStatus } from './remote-port.ts';

/**
 * Signals from other nodes. `to` is the local id of our actor; `from` PIDs are remote and proven to belong to the peer
 * (their `nc` is the peer's). Every method is safe for ids that never existed.
 */
export declare class Inbound {
  deliver(to: number, message: unknown): void;
  deliverNamed(name: string, message: unknown): void;
  aliasSend(alias: Ref, message: unknown): void;
  link(from: Pid, to: number): void;
  unlink(from: Pid, to: number, id: number | bigint): void;
  unlinkAck(from: Pid, to: number, id: number | bigint): void;
  exit(from: Pid, to: number, reason: ExitReason): void;
  exit2(from: Pid, to: number, reason: ExitReason): void;
  monitor(from: Pid, ref: Ref, to: number): void;
  monitorNamed(from: Pid, ref: Ref, name: string): void;
  demonitor(from: Pid, ref: Ref): void;
  monitorExit(to: number, ref: Ref, reason: ExitReason): void;
  spawn(from: Pid, request: Ref, flags: number, monitor: Ref, name: string, args: unknown): void;
  spawnReply(to: number, request: Ref, status: SpawnStatus, child: Pid, detail: unknown): void;
  call(from: Pid, ref: Ref, ms: number, to: number, request: CallRequest): void;
  callNamed(from: Pid, ref: Ref, ms: number, name: string, request: CallRequest): void;
  reply(ref: Ref, status: ReplyStatus, value: unknown): void;
  /** Fires every link, monitor, call and spawn over that node once, with noconnection. `nc` -1: never known. */
  nodeLost(nc: number, node: string): void;
}
