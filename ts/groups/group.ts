import type { Self } from '../actor/index.ts';
import type { Pid, Ref } from '../term/index.ts';

/** A monitor of one group, and the members at its start. */
export interface GroupMonitor {
  readonly ref: Ref;
  readonly members: Pid[];
}

/** One or several actors that accept messages of type `M`. */
type Takers<M> = Taker<M> | readonly Taker<M>[];
/** A PID, or the `self` of an actor: its PID decides, so that of a server, which takes any message, may join. */
type Taker<M> = Pid<M> | (Actor & { readonly pid: Pid<M> });

/**
 * One group whose members accept messages of type `M`: the methods of `Groups` without the name parameter. Made by `groups.of`. The type
 * is not checked at run time: on another node, actors that accept other messages may have joined.
 */
export interface Group<M> {
  readonly name: string;
  join(members: Takers<M>): void;
  leave(members: Takers<M>): boolean;
  members(): Pid<M>[];
  localMembers(): Pid<M>[];
  /** @param from the actor that sends. */
  broadcast(message: M, from?: Actor): void;
  broadcastLocal(message: M): void;
  monitor(subscriber: Actor): GroupMonitor;
}

// oxlint-disable-next-line typescript/no-explicit-any -- what an actor receives does not matter here
type Actor = Pid<never> | Self<any>;

/** Groups by name. */
interface Untyped {
  join(group: string, members: Pid): void;
  leave(group: string, members: Pid): boolean;
  members<M>(group: string): Pid<M>[];
  localMembers<M>(group: string): Pid<M>[];
  broadcast(group: string, message: unknown, from?: Actor): void;
  broadcastLocal(group: string, message: unknown): void;
  monitor(group: string, subscriber: Actor): GroupMonitor;
}

/** See `Groups.of`. */
export function groupOf<M>(groups: Untyped, name: string): Group<M> {
  return {
    name,
    join: (members) => groups.join(name, members as Pid),
    leave: (members) => groups.leave(name, members as Pid),
    members: () => groups.members<M>(name),
    localMembers: () => groups.localMembers<M>(name),
    broadcast: (message, from) => groups.broadcast(name, message, from),
    broadcastLocal: (message) => groups.broadcastLocal(name, message),
    monitor: (subscriber) => groups.monitor(name, subscriber),
  };
}
