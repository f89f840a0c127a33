import type { Self, Timeout, TimerRef } from '../actor/index.ts';
import { OldestFirst } from '../collections/index.ts';
import type { ChildPlan } from './child-spec.ts';
import type { NodeChecks } from './node-checks.ts';
import { placed } from './starting.ts';

/** Pauses between two checks for a node: the first and the longest, without the random part. */
const FIRST_PAUSE_MS = 200;
const MAX_PAUSE_MS = 20_000;
/** The largest random part added to a pause, so that not all supervisors look at once. */
const JITTER = 0.5;
/**
 * The checks for one node that a supervisor has under way at once. A child is started when its check was answered, and the next check is
 * sent behind that start: its answer shows that the start has left this node. So no more starts than this wait in the send queue,
 * however many children come back, and none is refused for want of room.
 */
const MAX_CHECKS = 128;

/** Starts a child on the node of `plan`. */
export type ComeBack = (plan: ChildPlan) => void | Promise<void>;

interface Wait {
  readonly child: object;
  readonly plan: ChildPlan;
  readonly comeBack: ComeBack;
  tries: number;
  timer: TimerRef | undefined;
  /** The node whose arrival ends the pause; undefined until one is chosen. */
  node: string | undefined;
  unfollow: () => void;
  /** The node has connected since the last check began. */
  hasArrived: boolean;
}

/** The checks for one node. */
interface NodeQueue {
  underWay: number;
  /** Children whose check has not begun, in order, with the plan of their start. */
  readonly waiting: OldestFirst<Wait, ChildPlan>;
}

/**
 * Children that wait for their lost node (`onNodeLost: 'wait'`). The supervisor checks for the node when it connects, and after growing
 * random pauses, and starts the child when the node can be reached. Children that a connection wakes are started in the order in which
 * they began to wait. It handles requests meanwhile. O(1) a check.
 */
export class NodeWaits {
  readonly #self: Self;
  readonly #checks: NodeChecks;
  /** Runs an action when the supervisor takes its next messages. */
  readonly #later: (action: () => void | Promise<void>) => void;
  readonly #waits = new Map<object, Wait>();
  readonly #pauses = new Map<TimerRef, Wait>();
  /** By the node that is looked for. */
  readonly #queues = new Map<string, NodeQueue>();
  /** Whether the end of the supervisor cancels what waits for nodes. */
  #endsWithSelf = false;

  constructor(self: Self, checks: NodeChecks, later: (action: () => void | Promise<void>) => void) {
    this.#self = self;
    this.#checks = checks;
    this.#later = later;
  }

  has(child: object): boolean {
    return this.#waits.has(child);
  }

  /** Starts to wait, or continues with a longer pause. */
  wait(child: object, plan: ChildPlan, comeBack: ComeBack): void {
    const wait = this.#waits.get(child) ?? this.#begin(child, plan, comeBack);
    this.#pause(wait);
  }

  /** Ends a wait: the child runs, or was terminated. */
  end(child: object): void {
    const wait = this.#waits.get(child);
    if (wait === undefined) return;
    this.#waits.delete(child);
    wait.unfollow();
    if (wait.node !== undefined) this.#queues.get(wait.node)?.waiting.delete(wait);
    if (wait.timer === undefined) return;
    this.#self.cancelTimer(wait.timer);
    this.#pauses.delete(wait.timer);
  }

  /** Handles the end of a pause; ignores other timers. */
  timeout({ ref }: Timeout): void | Promise<void> {
    const wait = this.#pauses.get(ref);
    if (wait === undefined) return undefined;
    this.#pauses.delete(ref);
    wait.timer = undefined;
    return this.#check(wait);
  }

  #begin(child: object, plan: ChildPlan, comeBack: ComeBack): Wait {
    const wait: Wait = {
      child,
      plan,
      comeBack,
      tries: 0,
      timer: undefined,
      node: undefined,
      unfollow: () => {},
      hasArrived: false,
    };
    if (!this.#endsWithSelf) {
      this.#endsWithSelf = true;
      this.#self.onExit(() => {
        for (const { unfollow } of this.#waits.values()) unfollow();
      });
    }
    this.#waits.set(child, wait);
    if (plan.place === undefined) this.#follow(wait, plan.startOptions.node);
    return wait;
  }

  /** From now on the arrival of this node ends the pause, and no longer that of the node before. */
  #follow(wait: Wait, node: string | undefined): void {
    if (wait.node === node) return;
    wait.unfollow();
    wait.node = node;
    wait.hasArrived = false;
    if (node === undefined) return void (wait.unfollow = () => {});
    wait.unfollow = this.#self.runtime.arrivals.on(node, () => {
      wait.hasArrived = true;
      this.#later(() => this.#arrived(wait));
    });
  }

  /** It may connect before it exposes the child, so the pauses are short again. */
  #arrived(wait: Wait): void | Promise<void> {
    const { timer } = wait;
    if (this.#waits.get(wait.child) !== wait || !wait.hasArrived) return undefined;
    if (timer === undefined) return undefined; // a check is under way, or waits for its turn
    this.#self.cancelTimer(timer);
    this.#pauses.delete(timer);
    wait.timer = undefined;
    wait.tries = 0;
    return this.#check(wait);
  }

  #pause(wait: Wait): void {
    if (wait.hasArrived) this.#later(() => this.#arrived(wait));
    const pause = Math.min(FIRST_PAUSE_MS * 2 ** wait.tries++, MAX_PAUSE_MS);
    const ms = Math.round(pause * (1 + JITTER * Math.random()));
    wait.timer = this.#self.startTimer(ms, this.#self.pid, null);
    this.#pauses.set(wait.timer, wait);
  }

  /** Checks for the node. A placement function is called once for the check and the start that follows. */
  #check(wait: Wait): void | Promise<void> {
    const { plan, comeBack } = wait;
    const options = placed(plan);
    if (typeof options === 'string') return comeBack(plan); // the start fails, with the error of the placement
    const { node } = options;
    wait.hasArrived = false;
    this.#follow(wait, node);
    const here: ChildPlan = { ...plan, startOptions: options, place: undefined };
    if (node === undefined || this.#self.runtime.isSelf(node)) return comeBack(here);
    let queue = this.#queues.get(node);
    if (queue === undefined) this.#queues.set(node, (queue = { underWay: 0, waiting: new OldestFirst() }));
    queue.waiting.set(wait, here);
    this.#checkOn(node, queue);
    return undefined;
  }

  /** Begins the checks for a node that may begin now. */
  #checkOn(node: string, queue: NodeQueue): void {
    while (queue.underWay < MAX_CHECKS) {
      const next = queue.waiting.takeOldest();
      if (next === undefined) break;
      const [wait, plan] = next;
      queue.underWay++;
      this.#checks.check(node, Number.POSITIVE_INFINITY, (isReached) => {
        queue.underWay--;
        const isWaiting = this.#waits.get(wait.child) === wait;
        const started = isWaiting && isReached ? wait.comeBack(plan) : undefined;
        if (isWaiting && !isReached) this.#pause(wait);
        if (!isReached) this.#pauseAll(queue);
        this.#checkOn(node, queue); // behind the start
        return started;
      });
    }
    if (queue.underWay === 0 && this.#queues.get(node) === queue) this.#queues.delete(node);
  }

  /** The node was not reached: those whose check has not begun wait as if theirs had failed. */
  #pauseAll({ waiting }: NodeQueue): void {
    for (let next = waiting.takeOldest(); next !== undefined; next = waiting.takeOldest())
      this.#pause(next[0]);
  }
}
