// The RemotePort of the actor layer: writes each signal to another node as a frame. Without a route it reports `noproc` or
// `noconnection` to the actor layer, never before the method has returned.
import {
  type CallRequest,
  type DeadLetterReason,
  type ExitReason,
  type NodeAddress,
  type RemotePort,
  type RemoteSpawn,
  ReplyStatus,
  type RingProbe,
  type Runtime,
  type SpawnStatus,
  type TraceHeaders,
} from '../actor/index.ts';
import { copyTerm, Pid, Ref } from '../term/index.ts';
import { FrameTag, MAX_NAME_BYTES } from '../wire/index.ts';
import type { Reachability } from './reachability.ts';
import type { NoRoute, Routes } from './routes.ts';
import type { Network } from './session/network.ts';
import { Outgoing } from './session/outgoing.ts';
import { sendCall, sendMonitor, sendProbe, sendReason, sendReply, sendSpawn } from './signal-frames.ts';

export interface RemoteOptions {
  /** This node's full name. */
  readonly name: string;
  readonly network: Network;
  readonly routes: Routes;
  readonly runtime: Runtime;
  readonly reachability: Reachability;
}

export class Remote implements RemotePort {
  readonly #name: string;
  readonly #network: Network;
  readonly #routes: Routes;
  readonly #runtime: Runtime;
  readonly reachability: Reachability;
  readonly #due: (() => void)[] = [];

  constructor({ name, network, routes, runtime, reachability }: RemoteOptions) {
    this.reachability = reachability;
    this.#name = name;
    this.#network = network;
    this.#routes = routes;
    this.#runtime = runtime;
  }

  get nodeName(): string | undefined {
    return this.#network.isOpen ? this.#name : undefined;
  }

  setTrace(trace: TraceHeaders | null): void {
    this.#network.trace = trace;
  }

  send(from: Pid | null, to: Pid, message: unknown): void {
    const route = this.#routes.to(to);
    if (!(route instanceof Outgoing) || route.isFull) return this.#lose(route, to, message);
    route.send(local(from), to, message);
  }

  sendNamed(from: Pid | null, name: string, node: string, message: unknown): void {
    if (!canBeName(name)) return this.#lose('no_name', `${name.slice(0, 40)} at ${node}`, message);
    const route = this.#routes.toNode(node);
    if (!(route instanceof Outgoing) || route.isFull) return this.#lose(route, `${name} at ${node}`, message);
    route.message(local(from), FrameTag.REG_SEND, (frame) => {
      frame.name(name);
      frame.term(message);
    });
  }

  sendAlias(from: Pid | null, alias: Ref, message: unknown): void {
    const route = this.#routes.toNumber(alias.nc);
    if (!(route instanceof Outgoing) || route.isFull) return this.#lose(route, alias, message);
    route.message(local(from), FrameTag.ALIAS_SEND, (frame) => {
      frame.ref(alias);
      frame.term(message);
    });
  }

  link(from: Pid, to: Pid): void {
    const route = this.#routes.to(to);
    const noproc = (): void => this.#runtime.inbound.noPartner(to, from.local);
    if (!(route instanceof Outgoing)) return route === 'noproc' ? this.later(noproc) : this.#lost(to);
    route.expect(to.nc, noproc);
    route.signal(from.local, FrameTag.LINK, (frame) => {
      frame.pid(from);
      frame.pid(to);
    });
  }

  unlink(from: Pid, to: Pid, id: number): void {
    this.#linkAnswer(FrameTag.UNLINK, from, to, id);
  }

  unlinkAck(from: Pid, to: Pid, id: number | bigint): void {
    this.#linkAnswer(FrameTag.UNLINK_ACK, from, to, id);
  }

  exit(from: Pid, to: Pid, reason: ExitReason): void {
    // Only over an existing session: a link whose session ended has fired on both nodes already.
    sendReason(this.#routes.existing(to), from.local, FrameTag.EXIT, reason, (frame) => {
      frame.pid(from);
      frame.pid(to);
    });
  }

  exit2(from: Pid | null, to: Pid, reason: ExitReason): void {
    const route = this.#routes.to(to);
    if (!(route instanceof Outgoing)) return;
    const sender = from ?? NOBODY;
    sendReason(route, sender.local, FrameTag.EXIT2, reason, (frame) => {
      frame.pid(sender);
      frame.pid(to);
    });
  }

  monitor(from: Pid, ref: Ref, target: Pid | NodeAddress): void {
    const route = this.#routeTo(target);
    const noproc = (): void => this.#runtime.inbound.monitorExit(null, from.local, ref, 'noproc');
    if (!canBeTarget(target)) return this.later(noproc);
    if (!(route instanceof Outgoing)) return route === 'noproc' ? this.later(noproc) : this.#lost(target);
    route.expect(target instanceof Pid ? target.nc : -1, noproc);
    sendMonitor(route, from, ref, target);
  }

  demonitor(from: Pid, ref: Ref, target: Pid | NodeAddress): void {
    const route = this.#routes.existing(target);
    route?.signal(from.local, FrameTag.DEMONITOR, (frame) => {
      frame.pid(from);
      frame.ref(ref);
    });
  }

  monitorExit(from: Pid | undefined, to: Pid, ref: Ref, reason: ExitReason): void {
    sendReason(this.#routes.existing(to), from?.local ?? 0, FrameTag.MONITOR_EXIT, reason, (frame) => {
      frame.pid(to);
      frame.ref(ref);
    });
  }

  spawn(request: RemoteSpawn): void {
    const route = this.#routes.toNode(request.node);
    if (route instanceof Outgoing) return sendSpawn(route, request);
    checkSendable(request.args);
    this.#lost(request);
  }

  spawnReply(child: Pid | undefined, to: Pid, request: Ref, status: SpawnStatus, detail: unknown): void {
    sendReason(this.#routes.existing(to), child?.local ?? 0, FrameTag.SPAWN_REPLY, detail, (frame) => {
      frame.pid(to);
      frame.ref(request);
      frame.u8(status);
      frame.pid(child ?? NOBODY);
    });
  }

  spawnAck(from: Pid, child: Pid): void {
    this.#routes.existing(child)?.signal(from.local, FrameTag.SPAWN_ACK, (frame) => {
      frame.pid(from);
      frame.pid(child);
    });
  }

  call(from: Pid | null, ref: Ref, ms: number, target: Pid | NodeAddress, request: CallRequest): void {
    const route = this.#routeTo(target);
    const answer = (status: ReplyStatus) => (): void =>
      void this.#runtime.calls.answered(null, ref, status, undefined);
    if (!canBeTarget(target) || !(route instanceof Outgoing) || route.isFull) {
      checkSendable(request[1], route);
      if (!canBeTarget(target) || route === 'noproc') return this.later(answer(ReplyStatus.noproc));
      return route instanceof Outgoing ? this.later(answer(ReplyStatus.overload)) : this.#lost(target);
    }
    route.expect(target instanceof Pid ? target.nc : -1, answer(ReplyStatus.noproc));
    sendCall(route, from ?? NOBODY, ref, ms, target, request);
  }

  callInSlices(
    from: Pid | null,
    ref: Ref,
    target: Pid | NodeAddress,
    request: CallRequest,
  ): Promise<void> | undefined {
    const write = (): void => this.call(from, ref, Number.POSITIVE_INFINITY, target, request);
    return this.#writeSliced(from, target, write, request);
  }

  reply(from: Pid | null, ref: Ref, status: ReplyStatus, value: unknown): void {
    const route = this.#routes.existing(ref);
    if (route !== undefined) sendReply(route, local(from), ref, status, value);
  }

  probe(node: number | string, probe: RingProbe): void {
    const route =
      typeof node === 'string'
        ? this.#network.peer(node)?.session?.outgoing
        : this.#network.identities.of(node)?.outgoing;
    if (route !== undefined && !route.isFull) sendProbe(route, probe);
  }

  nodeOf(pid: Pid): string | undefined {
    return pid.nc === 0 ? this.#name : this.#network.identities.of(pid.nc)?.name;
  }

  isSelf(node: string): boolean {
    return this.#routes.isSelf(node);
  }

  canonical(node: string): string {
    return this.#routes.canonical(node);
  }

  existingRoute(node: string): Outgoing | undefined {
    return this.#routes.existing({ name: '', node });
  }

  whenWritable(to: Pid | NodeAddress | Ref): Promise<void> | undefined {
    return this.#routes.existing(to)?.whenWritable();
  }

  sendInSlices(from: Pid | null, to: Pid | NodeAddress | Ref, message: unknown): Promise<void> | undefined {
    const write = (): void => {
      if (to instanceof Pid) this.send(from, to, message);
      else if (to instanceof Ref) this.sendAlias(from, to, message);
      else this.sendNamed(from, to.name, to.node, message);
    };
    return this.#writeSliced(from, to, write, message);
  }

  flush(): void {
    this.#network.flush();
  }

  /** Runs `signal` in a microtask: the actor layer must not be called back from inside its own call. */
  later(signal: () => void): void {
    if (this.#due.push(signal) === 1) queueMicrotask(this.tellDue);
  }

  /** Runs what is due now, before a dial: what is sent after that waits for the dial, and is not lost with what was sent before. */
  readonly tellDue = (): void => {
    for (const signal of this.#due.splice(0)) signal();
  };

  /** Runs `write`, which sends `value`, slice by slice if there is a route. Throws for an unsendable value also without a route. */
  #writeSliced(
    from: Pid | null,
    to: Pid | NodeAddress | Ref,
    write: () => void,
    value: unknown,
  ): Promise<void> | undefined {
    const route = this.#routes.existing(to);
    if (route !== undefined)
      return route.sendSliced(write, () => from === null || this.#runtime.isAlive(from));
    checkSendable(value);
    write();
    return undefined;
  }

  #routeTo(target: Pid | NodeAddress): Outgoing | NoRoute {
    return target instanceof Pid ? this.#routes.to(target) : this.#routes.toNode(target.node);
  }

  #linkAnswer(tag: number, from: Pid, to: Pid, id: number | bigint): void {
    this.#routes.existing(to)?.signal(from.local, tag, (frame) => {
      frame.pid(from);
      frame.pid(to);
      frame.u64(id);
    });
  }

  /** Counts a message as a dead letter. `why`: the reason, or the Outgoing that is full. Throws for an unsendable value. */
  #lose(why: Outgoing | DeadLetterReason, target: unknown, message: unknown): void {
    checkSendable(message, why);
    this.#runtime.deadLetters.count(why instanceof Outgoing ? 'remote_full' : why, target);
  }

  #lost(target: Pid | { readonly node: string }): void {
    const [nc, node] = target instanceof Pid ? [target.nc, this.nodeOf(target) ?? ''] : [-1, target.node];
    this.later(() => void this.#runtime.losses.begin(nc, this.#routes.canonical(node)));
  }
}

/** Throws for an unsendable value, also where nothing is sent. With a route it makes no copy. */
function checkSendable(value: unknown, route?: Outgoing | string): void {
  if (route instanceof Outgoing) route.check(value);
  else copyTerm(value);
}

/** Whether a frame can hold the name. No actor has a longer one (F3), and a peer would end the session for it. */
function canBeName(name: string): boolean {
  return name !== '' && (name.length <= MAX_NAME_BYTES / 3 || Buffer.byteLength(name) <= MAX_NAME_BYTES);
}

const canBeTarget = (target: Pid | NodeAddress): boolean => target instanceof Pid || canBeName(target.name);

/** Means "no actor" where a frame has a PID of this node: no actor has the local id 0. */
const NOBODY = new Pid(0, 0);

const local = (from: Pid | null): number => (from === null ? 0 : from.local);
