// Who wants to hear of nodes that come and go. A subscription is persistent and gets every event (L4, L5); a watch is
// for one node and one notice (L6). Both end with the actor that made them (L8). Pure bookkeeping: delivery, making of
// references and word of deaths come in through the port.
import { NodeDown, NodeUp, type SystemMessage } from '../actor/index.ts';
import type { Pid, Ref } from '../term/index.ts';
import { NodeRecovered, NodeStalled } from './node-notices.ts';

/** What the table needs from the runtime. */
export interface SubscriberPort {
  /** Puts a notice into the mailbox of a local actor. */
  deliver(to: Pid, notice: SystemMessage): void;
  makeRef(owner: Pid): Ref;
  /** Asks for a call of `release` when that actor dies. Returns a way to take it back. */
  follow(pid: Pid): () => void;
}

/** What a notice carries beside the node's name. */
export interface NodeFacts {
  /** Counts connections of this node: the same number in an up and its down (L10). */
  readonly connection: number;
  readonly incarnation: bigint;
  readonly hidden: boolean;
}

interface Subscription {
  readonly ref: Ref;
  readonly pid: Pid;
  readonly hidden: boolean;
}

interface Watch {
  readonly ref: Ref;
  readonly pid: Pid;
  readonly node: string;
}

/** What an actor has. */
interface Holding {
  readonly all: Set<Subscription | Watch>;
  unfollow: () => void;
}

export class NodeMonitors {
  readonly #port: SubscriberPort;
  readonly #subscriptions = new Map<string, Subscription>();
  /** By node, then by reference. */
  readonly #watches = new Map<string, Map<string, Watch>>();
  /** By actor, so that its death costs what it holds and no scan. */
  readonly #held = new Map<string, Holding>();

  constructor(port: SubscriberPort) {
    this.#port = port;
  }

  /** Every up and down from now on, those of hidden nodes only when asked for. */
  subscribe(pid: Pid, hidden: boolean): Ref {
    const subscription = { ref: this.#port.makeRef(pid), pid, hidden };
    this.#subscriptions.set(subscription.ref.key, subscription);
    this.#hold(subscription);
    return subscription.ref;
  }

  /** One notice when `node` goes down. */
  watch(pid: Pid, node: string): Ref {
    const watch = { ref: this.#port.makeRef(pid), pid, node };
    let ofNode = this.#watches.get(node);
    if (ofNode === undefined) this.#watches.set(node, (ofNode = new Map()));
    ofNode.set(watch.ref.key, watch);
    this.#hold(watch);
    return watch.ref;
  }

  /** Ends a subscription or a watch. False when there is none (any more). */
  cancel(ref: Ref): boolean {
    const { key } = ref;
    const subscription = this.#subscriptions.get(key);
    if (subscription !== undefined) {
      this.#letGo(subscription);
      return this.#subscriptions.delete(key);
    }
    for (const ofNode of this.#watches.values()) {
      const watch = ofNode.get(key);
      if (watch === undefined) continue;
      this.#letGo(watch);
      this.#unwatch(watch);
      return true;
    }
    return false;
  }

  up(node: string, facts: NodeFacts): void {
    for (const { pid, hidden, ref } of this.#subscriptions.values()) {
      if (facts.hidden && !hidden) continue;
      this.#port.deliver(pid, new NodeUp(node, { ...facts, ref }));
    }
  }

  down(node: string, cause: string, facts: NodeFacts): void {
    for (const { pid, hidden, ref } of this.#subscriptions.values()) {
      if (facts.hidden && !hidden) continue;
      this.#port.deliver(pid, new NodeDown(node, cause, { ...facts, ref }));
    }
    this.fire(node, cause);
  }

  /** The node's event loop stopped turning, or turns again: it is up all the time (L13). */
  loop(node: string, stalled: boolean, facts: { readonly ageMs: number; readonly hidden: boolean }): void {
    const notice = stalled ? new NodeStalled(node, facts.ageMs) : new NodeRecovered(node);
    for (const { pid, hidden } of this.#subscriptions.values())
      if (hidden || !facts.hidden) this.#port.deliver(pid, notice);
  }

  /** The watches of a node that is down, or that could not be reached. */
  fire(node: string, cause: string): void {
    const ofNode = this.#watches.get(node);
    if (ofNode === undefined) return;
    this.#watches.delete(node);
    for (const watch of ofNode.values()) {
      this.#letGo(watch);
      this.#port.deliver(watch.pid, new NodeDown(node, cause, { ref: watch.ref }));
    }
  }

  /** An actor ended. */
  release(pid: Pid): void {
    const held = this.#held.get(pid.key);
    if (held === undefined) return;
    this.#held.delete(pid.key);
    for (const each of held.all) {
      if ('node' in each) this.#unwatch(each);
      else this.#subscriptions.delete(each.ref.key);
    }
  }

  /** Subscriptions and watches in force. */
  get size(): number {
    let watches = 0;
    for (const ofNode of this.#watches.values()) watches += ofNode.size;
    return this.#subscriptions.size + watches;
  }

  #unwatch(watch: Watch): void {
    const ofNode = this.#watches.get(watch.node);
    if (ofNode?.delete(watch.ref.key) && ofNode.size === 0) this.#watches.delete(watch.node);
  }

  #hold(each: Subscription | Watch): void {
    const { key } = each.pid;
    const held = this.#held.get(key);
    if (held !== undefined) return void held.all.add(each);
    const first: Holding = { all: new Set([each]), unfollow: () => {} };
    this.#held.set(key, first);
    first.unfollow = this.#port.follow(each.pid);
  }

  #letGo(each: Subscription | Watch): void {
    const { key } = each.pid;
    const held = this.#held.get(key);
    if (held === undefined || !held.all.delete(each) || held.all.size > 0) return;
    this.#held.delete(key);
    held.unfollow();
  }
}
