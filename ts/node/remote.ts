// The far side of the actor floor: its RemotePort. Finds the session a signal has to take, dials when there is none,
// and tells the actor floor when there will be none. Nothing is delivered before a method returns.
import {
  type CallRequest,
  type DeadLetterReason,
  type ExitReason,
  type NodeAddress,
  type RemotePort,
  type RemoteSpawn,
  ReplyStatus,
  type Runtime,
  type SpawnStatus,
} from '../actor/index.ts';
import { copyTerm, Pid, Ref } from '../term/index.ts';
import type { DialPolicy } from './dial-policy.ts';
import * as Tag from './frame-tag.ts';
import { Identity } from './identities.ts';
import type { Network } from './network.ts';
import { MAX_NAME_BYTES, type NodeName, parseNodeName } from './node-name.ts';
import { Outgoing } from './outgoing.ts';

/** Why there is no way: the target's incarnation is over, or its node is out of reach. */
type NoWay = 'noproc' | 'noconnection';

/** Spellings of node names whose canonical form is remembered. */
const MAX_SPELLINGS = 1024;
const LINK_FLAG = 1;
const MONITOR_FLAG = 2;
const START_FLAG = 4;

export interface RemoteOptions {
  readonly name: NodeName;
  readonly network: Network;
  readonly runtime: Runtime;
  readonly policy: DialPolicy;
}

export class Remote implements RemotePort {
  readonly #name: string;
  readonly #network: Network;
  readonly #runtime: Runtime;
  readonly #policy: DialPolicy;
  readonly #spellings = new Map<string, NodeName | undefined>();

  constructor({ name, network, runtime, policy }: RemoteOptions) {
    this.#name = name.full;
    this.#network = network;
    this.#runtime = runtime;
    this.#policy = policy;
  }

  get nodeName(): string | undefined {
    return this.#network.isOpen ? this.#name : undefined;
  }

  send(from: Pid | null, to: Pid, message: unknown): void {
    const way = this.#wayTo(to);
    if (!(way instanceof Outgoing)) return this.#lose(way, to, message);
    if (way.isFull) return this.#lose('remote_full', to, message);
    way.send(local(from), to, message);
  }

  sendNamed(from: Pid | null, name: string, node: string, message: unknown): void {
    if (!canBeName(name)) return this.#lose('no_name', `${name.slice(0, 40)} at ${node}`, message);
    const way = this.#wayToNode(node);
    if (!(way instanceof Outgoing)) return this.#lose(way, `${name} at ${node}`, message);
    if (way.isFull) return this.#lose('remote_full', `${name} at ${node}`, message);
    way.message(local(from), Tag.REG_SEND, (frame) => {
      frame.name(name);
      frame.term(message);
    });
  }

  sendAlias(from: Pid | null, alias: Ref, message: unknown): void {
    const way = this.#wayToNumber(alias.nc);
    if (!(way instanceof Outgoing)) return this.#lose(way, alias, message);
    if (way.isFull) return this.#lose('remote_full', alias, message);
    way.message(local(from), Tag.ALIAS_SEND, (frame) => {
      frame.ref(alias);
      frame.term(message);
    });
  }

  link(from: Pid, to: Pid): void {
    const way = this.#wayTo(to);
    const noproc = (): void => this.#runtime.inbound.noPartner(to, from.local);
    if (!(way instanceof Outgoing)) {
      return way === 'noproc' ? later(noproc) : this.#lost(to.nc, this.nodeOf(to));
    }
    way.expect(to.nc, noproc);
    way.signal(from.local, Tag.LINK, (frame) => {
      frame.pid(from);
      frame.pid(to);
    });
  }

  unlink(from: Pid, to: Pid, id: number): void {
    this.#linkAnswer(Tag.UNLINK, from, to, id);
  }

  unlinkAck(from: Pid, to: Pid, id: number): void {
    this.#linkAnswer(Tag.UNLINK_ACK, from, to, id);
  }

  exit(from: Pid, to: Pid, reason: ExitReason): void {
    // Only over a session there is: a link that lost its session was fired at both ends already.
    this.#sessionOf(to)?.signal(from.local, Tag.EXIT, (frame) => {
      frame.pid(from);
      frame.pid(to);
      frame.term(reason);
    });
  }

  exit2(from: Pid | null, to: Pid, reason: ExitReason): void {
    const way = this.#wayTo(to);
    if (!(way instanceof Outgoing)) return;
    const sender = from ?? NOBODY;
    way.signal(sender.local, Tag.EXIT2, (frame) => {
      frame.pid(sender);
      frame.pid(to);
      frame.term(reason);
    });
  }

  monitor(from: Pid, ref: Ref, target: Pid | NodeAddress): void {
    const way = target instanceof Pid ? this.#wayTo(target) : this.#wayToNode(target.node);
    const noproc = (): void => this.#runtime.inbound.monitorExit(from.local, ref, 'noproc');
    if (!canBeTarget(target)) return later(noproc);
    if (!(way instanceof Outgoing)) return way === 'noproc' ? later(noproc) : this.#lostTarget(target);
    way.expect(target instanceof Pid ? target.nc : -1, noproc);
    way.signal(from.local, Tag.MONITOR, (frame) => {
      frame.pid(from);
      frame.ref(ref);
      if (target instanceof Pid) {
        frame.u8(0);
        frame.pid(target);
      } else {
        frame.u8(1);
        frame.name(target.name);
      }
    });
  }

  demonitor(from: Pid, ref: Ref, target: Pid | NodeAddress): void {
    const way = target instanceof Pid ? this.#sessionOf(target) : this.#sessionOfNode(target.node);
    way?.signal(from.local, Tag.DEMONITOR, (frame) => {
      frame.pid(from);
      frame.ref(ref);
    });
  }

  monitorExit(from: Pid | undefined, to: Pid, ref: Ref, reason: ExitReason): void {
    this.#sessionOf(to)?.signal(from?.local ?? 0, Tag.MONITOR_EXIT, (frame) => {
      frame.pid(to);
      frame.ref(ref);
      frame.term(reason);
    });
  }

  spawn(request: RemoteSpawn): void {
    const way = this.#wayToNode(request.node);
    if (!(way instanceof Outgoing)) return this.#lost(-1, request.node);
    const { start, args, monitor } = request;
    way.signal(request.from.local, Tag.SPAWN, (frame) => {
      frame.pid(request.from);
      frame.ref(request.request);
      frame.u8(
        (request.link ? LINK_FLAG : 0) |
          (monitor === undefined ? 0 : MONITOR_FLAG) |
          (start === undefined ? 0 : START_FLAG),
      );
      frame.ref(monitor ?? request.request);
      frame.name(request.function);
      frame.term(start === undefined ? args : [args, start.name ?? null, finite(start.timeout)]);
    });
  }

  spawnReply(child: Pid | undefined, to: Pid, request: Ref, status: SpawnStatus, detail: unknown): void {
    this.#sessionOf(to)?.signal(child?.local ?? 0, Tag.SPAWN_REPLY, (frame) => {
      frame.pid(to);
      frame.ref(request);
      frame.u8(status);
      frame.pid(child ?? NOBODY);
      frame.term(detail);
    });
  }

  spawnAck(from: Pid, child: Pid): void {
    this.#sessionOf(child)?.signal(from.local, Tag.SPAWN_ACK, (frame) => {
      frame.pid(from);
      frame.pid(child);
    });
  }

  call(from: Pid | null, ref: Ref, ms: number, target: Pid | NodeAddress, request: CallRequest): void {
    const way = target instanceof Pid ? this.#wayTo(target) : this.#wayToNode(target.node);
    const answer = (status: ReplyStatus) => (): void => this.#runtime.inbound.reply(ref, status, undefined);
    if (!canBeTarget(target)) return later(answer(ReplyStatus.noproc));
    if (!(way instanceof Outgoing)) {
      return way === 'noproc' ? later(answer(ReplyStatus.noproc)) : this.#lostTarget(target);
    }
    if (way.isFull) return later(answer(ReplyStatus.overload));
    const time = ms < Tag.FOR_EVER ? Math.max(0, Math.ceil(ms)) : Tag.FOR_EVER;
    way.expect(target instanceof Pid ? target.nc : -1, answer(ReplyStatus.noproc));
    way.signal(local(from), target instanceof Pid ? Tag.CALL : Tag.REG_CALL, (frame) => {
      frame.pid(from ?? NOBODY);
      frame.ref(ref);
      frame.u32(time);
      if (target instanceof Pid) frame.pid(target);
      else frame.name(target.name);
      frame.term(request);
    });
  }

  reply(from: Pid | null, ref: Ref, status: ReplyStatus, value: unknown): void {
    this.#sessionOfNumber(ref.nc)?.signal(local(from), Tag.REPLY, (frame) => {
      frame.ref(ref);
      frame.u8(status);
      frame.term(value);
    });
  }

  nodeOf(pid: Pid): string | undefined {
    return pid.nc === 0 ? this.#name : this.#network.identities.of(pid.nc)?.name;
  }

  isSelf(node: string): boolean {
    return node === this.#name || this.#parse(node)?.full === this.#name;
  }

  /** The one form of a node's name; what is no name stays as it is. */
  canonical(node: string): string {
    return this.#parse(node)?.full ?? node;
  }

  /** A promise while the peer behind `to` is busy. */
  whenWritable(to: Pid | NodeAddress | Ref): Promise<void> | undefined {
    return this.#sessionTo(to)?.whenWritable();
  }

  #sessionTo(to: Pid | NodeAddress | Ref): Outgoing | undefined {
    return 'nc' in to ? this.#sessionOfNumber(to.nc) : this.#sessionOfNode(to.node);
  }

  /** Whether an address is one of another node. */
  isFar(to: Pid | NodeAddress | Ref): boolean {
    return 'nc' in to ? to.nc !== 0 : !this.isSelf(to.node);
  }

  sendGently(from: Pid | null, to: Pid | NodeAddress | Ref, message: unknown): Promise<void> | undefined {
    const write = (): void => {
      if (to instanceof Pid) this.send(from, to, message);
      else if (to instanceof Ref) this.sendAlias(from, to, message);
      else this.sendNamed(from, to.name, to.node, message);
    };
    const way = this.#sessionTo(to);
    if (way !== undefined) return way.gently(write, () => from === null || this.#runtime.isAlive(from));
    write();
    return undefined;
  }

  flush(): void {
    this.#network.flush();
  }

  #linkAnswer(tag: number, from: Pid, to: Pid, id: number): void {
    this.#sessionOf(to)?.signal(from.local, tag, (frame) => {
      frame.pid(from);
      frame.pid(to);
      frame.u64(id);
    });
  }

  /** The way to a PID, dialling its node when there is no session. */
  #wayTo(to: Pid): Outgoing | NoWay {
    const { route } = to;
    if (route instanceof Identity) return route.session?.outgoing ?? this.#wayToIdentity(route);
    return this.#wayToNumber(to.nc);
  }

  #wayToNumber(nc: number): Outgoing | NoWay {
    const identity = this.#network.identities.of(nc);
    // Number 0 here is an actor of ours that this runtime does not know: one of a former node object.
    if (identity === undefined) return 'noproc';
    return identity.session?.outgoing ?? this.#wayToIdentity(identity);
  }

  #wayToIdentity(identity: Identity): Outgoing | NoWay {
    // An earlier self: the name is ours, the incarnation is not.
    if (identity.name === this.#name) return 'noproc';
    const peer = this.#network.peer(identity.name);
    if (peer?.session !== undefined) return 'noproc';
    return this.#wayToNode(identity.name);
  }

  #wayToNode(node: string): Outgoing | NoWay {
    const peer = this.#network.peer(node);
    if (peer?.session !== undefined) return peer.session.outgoing;
    const name = this.#parse(node);
    if (name === undefined || !this.#network.isOpen || name.full === this.#name || name.port === 0)
      return 'noconnection';
    const known = this.#network.peer(name.full);
    if (known?.session !== undefined) return known.session.outgoing;
    if (known?.request) return this.#network.waitingRoom(known);
    if (!this.#policy.mayDialOnUse(name.full)) return 'noconnection';
    return this.#network.waitingRoom(this.#network.dial(name));
  }

  /** Where frames to a PID go that make no sense on a new connection: the session, or the one in the making. */
  #sessionOf(to: Pid): Outgoing | undefined {
    return to.route instanceof Identity ? this.#sessionOfIdentity(to.route) : this.#sessionOfNumber(to.nc);
  }

  #sessionOfNumber(nc: number): Outgoing | undefined {
    const identity = this.#network.identities.of(nc);
    return identity && this.#sessionOfIdentity(identity);
  }

  #sessionOfIdentity(identity: Identity): Outgoing | undefined {
    return identity.session?.outgoing ?? this.#network.peer(identity.name)?.waiting;
  }

  #sessionOfNode(node: string): Outgoing | undefined {
    const peer = this.#network.peer(node) ?? this.#network.peer(this.canonical(node));
    return peer?.session?.outgoing ?? peer?.waiting;
  }

  #parse(node: string): NodeName | undefined {
    if (this.#spellings.has(node)) return this.#spellings.get(node);
    let name: NodeName | undefined;
    try {
      name = parseNodeName(node);
    } catch {
      name = undefined;
    }
    if (this.#spellings.size >= MAX_SPELLINGS) this.#spellings.clear();
    this.#spellings.set(node, name);
    return name;
  }

  /** A message that goes nowhere. What cannot be sent throws all the same: the verdict never depends on the network. */
  #lose(reason: DeadLetterReason, target: unknown, message: unknown): void {
    copyTerm(message);
    this.#runtime.deadLetters.count(reason, target);
  }

  #lost(nc: number, node: string | undefined): void {
    later(() => this.#runtime.inbound.nodeLost(nc, node === undefined ? '' : this.canonical(node)));
  }

  #lostTarget(target: Pid | NodeAddress): void {
    if (target instanceof Pid) this.#lost(target.nc, this.nodeOf(target));
    else this.#lost(-1, target.node);
  }
}

/** Whether a name can stand in a frame: a peer ends the session over one that cannot, and nobody has it (F3). */
function canBeName(name: string): boolean {
  return name !== '' && (name.length <= MAX_NAME_BYTES / 3 || Buffer.byteLength(name) <= MAX_NAME_BYTES);
}

const canBeTarget = (target: Pid | NodeAddress): boolean => target instanceof Pid || canBeName(target.name);

/** Stands for "nobody" where the wire wants a PID of ours: local id 0 is never given to an actor. */
const NOBODY = new Pid(0, 0);

const local = (from: Pid | null): number => (from === null ? 0 : from.local);

/** A time as it travels: null is for ever. */
function finite(ms: number): number | null {
  return ms === Number.POSITIVE_INFINITY ? null : ms;
}

/** The actor floor is never called back from inside a call of its own. */
function later(signal: () => void): void {
  queueMicrotask(signal);
}
