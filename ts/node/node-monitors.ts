// Notifies actors when nodes come up and go down. A subscription gets every event (L4, L5); a watch gets one notice about one
// node (L6). Both end with the actor that made them (L8). The port provides delivery, references and the deaths of actors.
import { NodeDown, NodeUp, type SystemMessage } from '../actor/index.ts';
import type { Pid, Ref } from '../term/index.ts';
import { NodeRecovered, NodeStalled } from './stall-messages.ts';

/** What NodeMonitors needs from the runtime. */
export interface SubscriberPort {
  /** Puts a notice into the mailbox of a local actor. */
  deliver(to: Pid, notice: SystemMessage): void;
  makeRef(owner: Pid): Ref;
  /** Calls `release` when that actor dies. Returns a function that cancels it. */
  follow(pid: Pid): () => void;
}

/** The facts of a notice beside the node's name. */
export interface NodeFacts {
  /** Numbers the connections of this node: an up and its down have the same number. */
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

/** The subscriptions and watches of one actor. */
interface Held {
  readonly all: Set<Subscription | Watch>;
  unfollow: () => void;
}

export class NodeMonitors {
  readonly #port: SubscriberPort;
  readonly #subscriptions = new Map<string, Subscription>();
  /** By node, then by reference. */
  readonly #watches = new Map<string, Map<string, Watch>>();
  /** By actor, so that its death needs no scan. */
  readonly #held = new Map<string, Held>();

  constructor(port: SubscriberPort) {
    this.#port = port;
  }

  /** Notifies `pid` of every up and down from now on, those of hidden nodes only with `hidden`. */
  subscribe(pid: Pid, hidden: boolean): Ref {
    const subscription = { ref: this.#port.makeRef(pid), pid, hidden };
    this.#subscriptions.set(subscription.ref.key, subscription);
    this.#hold(subscription);
    return subscription.ref;
  }

  /** Notifies `pid` once, when `node` goes down. */
  watch(pid: Pid, node: string): Ref {
    const watch = { ref: this.#port.makeRef(pid), pid, node };
    let ofNode = this.#watches.get(node);
    if (ofNode === undefined) this.#watches.set(node, (ofNode = new Map()));
    ofNode.set(watch.ref.key, watch);
    this.#hold(watch);
    return watch.ref;
  }

  /** Ends a subscription or a watch. False when there is none, or it has ended. */
  cancel(ref: Ref): boolean {
    const { key } = ref;
    const subscription = this.#subscriptions.get(key);
    if (subscription !== undefined) {
      this.#release(subscription);
      return this.#subscriptions.delete(key);
    }
    for (const ofNode of this.#watches.values()) {
      const watch = ofNode.get(key);
      if (watch === undefined) continue;
      this.#release(watch);
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

  /** The node's event loop is blocked, or runs again; the node stays up. */
  loop(node: string, stalled: boolean, facts: { readonly ageMs: number; readonly hidden: boolean }): void {
    const notice = stalled ? new NodeStalled(node, facts.ageMs) : new NodeRecovered(node);
    for (const { pid, hidden } of this.#subscriptions.values())
      if (hidden || !facts.hidden) this.#port.deliver(pid, notice);
  }

  /** Fires the watches of a node that is down or could not be reached. */
  fire(node: string, cause: string): void {
    const ofNode = this.#watches.get(node);
    if (ofNode === undefined) return;
    this.#watches.delete(node);
    for (const watch of ofNode.values()) {
      this.#release(watch);
      this.#port.deliver(watch.pid, new NodeDown(node, cause, { ref: watch.ref }));
    }
  }

  /** Ends all subscriptions and watches of an actor that has ended. */
  release(pid: Pid): void {
    const held = this.#held.get(pid.key);
    if (held === undefined) return;
    this.#held.delete(pid.key);
    for (const each of held.all) {
      if ('node' in each) this.#unwatch(each);
      else this.#subscriptions.delete(each.ref.key);
    }
  }

  /** How many subscriptions and watches there are. */
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
    const first: Held = { all: new Set([each]), unfollow: () => {} };
    this.#held.set(key, first);
    first.unfollow = this.#port.follow(each.pid);
  }

  #release(each: Subscription | Watch): void {
    const { key } = each.pid;
    const held = this.#held.get(key);
    if (held === undefined || !held.all.delete(each) || held.all.size > 0) return;
    this.#held.delete(key);
    held.unfollow();
  }
}
