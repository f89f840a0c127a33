// Frames of peers become signals of the actor floor. Bodies were validated and their PIDs rewritten by the native core:
// number 0 is this node as it runs now. Any other `to` is an actor of an earlier incarnation of ours (or a third
// node's), which is dead here (M4): it is never looked up by its local id.
import {
  type CallRequest,
  type ReplyStatus,
  type Runtime,
  type SpawnStatus,
  ReplyStatus as Status,
} from '../actor/index.ts';
import { Pid, Ref } from '../term/index.ts';
import type { Channels } from './channels.ts';
import type { EntryReader } from './entry-reader.ts';
import * as Tag from './frame-tag.ts';
import type { Identities } from './identities.ts';
import type { Session } from './session.ts';

const PAIR_TAGS: ReadonlySet<number> = new Set([
  Tag.LINK,
  Tag.UNLINK,
  Tag.UNLINK_ACK,
  Tag.EXIT,
  Tag.EXIT2,
  Tag.SPAWN_ACK,
]);
const FOUR_GIB = 0x1_0000_0000;

export class Dispatch {
  readonly #runtime: Runtime;
  readonly #identities: Identities;
  readonly #channels: Channels;

  constructor(runtime: Runtime, identities: Identities, channels: Channels) {
    this.#runtime = runtime;
    this.#identities = identities;
    this.#channels = channels;
  }

  /** One frame; the reader stands at its body. */
  frame(session: Session, tag: number, reader: EntryReader): void {
    const { inbound } = this.#runtime;
    switch (tag) {
      case Tag.SEND: {
        const to = this.#ours(reader);
        if (to < 0) return this.#runtime.deadLetters.count('noproc', 'an earlier incarnation');
        return inbound.deliver(to, session.term(reader));
      }
      case Tag.REG_SEND: {
        const name = reader.name();
        return inbound.deliverNamed(name, session.term(reader));
      }
      case Tag.ALIAS_SEND: {
        const alias = this.#ref(reader);
        if (alias.nc === 0) return inbound.aliasSend(alias, session.term(reader));
        return this.#runtime.deadLetters.count('alias', alias);
      }
      case Tag.CALL:
      case Tag.REG_CALL:
        return this.#call(session, tag, reader);
      case Tag.REPLY: {
        const ref = this.#ref(reader);
        const status = reader.u8() as ReplyStatus;
        const value = session.term(reader);
        if (ref.nc === 0) inbound.reply(ref, status, value);
        return;
      }
      default:
        return this.#signal(session, tag, reader);
    }
  }

  #signal(session: Session, tag: number, reader: EntryReader): void {
    const { inbound } = this.#runtime;
    switch (tag) {
      case Tag.MONITOR:
        return this.#monitor(reader);
      case Tag.DEMONITOR: {
        const from = this.#pid(reader);
        return inbound.demonitor(from, this.#ref(reader));
      }
      case Tag.MONITOR_EXIT: {
        const to = this.#ours(reader);
        const ref = this.#ref(reader);
        if (to >= 0) inbound.monitorExit(to, ref, session.term(reader));
        return;
      }
      case Tag.SPAWN: {
        const from = this.#pid(reader);
        const request = this.#ref(reader);
        const flags = reader.u8();
        const monitor = this.#ref(reader);
        const name = reader.name();
        return inbound.spawn({ from, request, flags, monitor, function: name, term: session.term(reader) });
      }
      case Tag.SPAWN_REPLY: {
        const to = this.#ours(reader);
        const request = this.#ref(reader);
        const status = reader.u8() as SpawnStatus;
        const child = this.#pid(reader);
        // A node answers for its own actors only.
        if (to >= 0 && child.nc === session.identity.nc)
          inbound.spawnReply(to, request, status, child, session.term(reader));
        return;
      }
      case Tag.SYSTEM: {
        const channel = reader.name();
        return this.#channels.message(session, channel, session.term(reader));
      }
      case Tag.ROOM_BROADCAST: {
        const room = reader.name();
        const payload = reader.blob();
        return this.#channels.room(session, room, payload, session.term(reader));
      }
      default:
        return this.#pair(session, tag, reader);
    }
  }

  /** The frames that begin with `from` and `to`. What is unknown here is of a later version, or of a floor above. */
  #pair(session: Session, tag: number, reader: EntryReader): void {
    if (!PAIR_TAGS.has(tag)) return;
    const { inbound } = this.#runtime;
    const from = this.#pid(reader);
    const to = this.#ours(reader);
    if (to < 0) return;
    switch (tag) {
      case Tag.LINK:
        return inbound.link(from, to);
      case Tag.UNLINK:
        return inbound.unlink(from, to, reader.u64());
      case Tag.UNLINK_ACK:
        return inbound.unlinkAck(from, to, reader.u64());
      case Tag.EXIT:
        return inbound.exit(from, to, session.term(reader));
      case Tag.EXIT2:
        return inbound.exit2(from, to, session.term(reader));
      case Tag.SPAWN_ACK:
        return inbound.spawnAck(from, to);
    }
  }

  #monitor(reader: EntryReader): void {
    const { inbound, remote } = this.#runtime;
    const from = this.#pid(reader);
    const ref = this.#ref(reader);
    if (reader.u8() === 1) return inbound.monitorNamed(from, ref, reader.name());
    const to = this.#ours(reader);
    if (to >= 0) return inbound.monitor(from, ref, to);
    remote.monitorExit(undefined, from, ref, 'noproc');
  }

  #call(session: Session, tag: number, reader: EntryReader): void {
    const { inbound, remote } = this.#runtime;
    const from = this.#pid(reader);
    const ref = this.#ref(reader);
    const time = reader.u32();
    const ms = time === Tag.FOR_EVER ? Number.POSITIVE_INFINITY : time;
    if (tag === Tag.REG_CALL) {
      const name = reader.name();
      return inbound.callNamed(from, ref, ms, name, session.term(reader) as CallRequest);
    }
    const to = this.#ours(reader);
    const request = session.term(reader) as CallRequest;
    if (to >= 0) return inbound.call(from, ref, ms, to, request);
    remote.reply(null, ref, Status.noproc, undefined);
  }

  /** The local id of a PID that should be ours; −1 when it is not. */
  #ours(reader: EntryReader): number {
    const low = reader.u32();
    const high = reader.u32();
    return high > 0xff ? -1 : high * FOUR_GIB + low;
  }

  #pid(reader: EntryReader): Pid {
    const low = reader.u32();
    const high = reader.u32();
    return this.pid(high >>> 8, (high & 0xff) * FOUR_GIB + low);
  }

  #ref(reader: EntryReader): Ref {
    const low = reader.u32();
    const high = reader.u32();
    return new Ref(high >>> 8, (high & 0xff) * FOUR_GIB + low, reader.u64());
  }

  /** A PID as this node's actors know it: the canonical one when it is ours (M6). */
  readonly pid = (nc: number, id: number): Pid =>
    nc === 0 ? this.#runtime.pidOf(id) : new Pid(nc, id, this.#identities.of(nc));
}
