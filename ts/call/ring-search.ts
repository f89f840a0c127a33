// Distributed deadlock detection by edge chasing (Chandy, Misra, Haas 1983): finds rings of actors on several nodes, each of which
// waits for the next (G4).
//
// A node knows only the waits of its own actors. So while a wait for another node lasts, its node sends a probe along it. The node that
// gets the probe looks at the target of the wait, and sends the probe on along each wait of that actor for another node, direct or
// through local actors.
//
//   first round:  the probe returns to the wait that it began with. There is a ring, or some of the waits have ended meanwhile.
//   second round: a probe with a new reference returns on the same way: all of these waits have lasted since the first round. There
//                 is a ring, and the wait fails.
//
// A probe is followed only along a call or a start that the sender's node made and that is still unanswered here: a peer that forges
// probes can only claim that its own actors wait. Every wait of a ring is probed, but only one must fail: a probe that meets the wait
// of a greater actor (by its node's name, then its number) is dropped, and that wait is probed instead. Calls come before starts.
import { after, type Cell, type Kernel, type RemoteWait, type RingProbe } from '../kernel/index.ts';
import { Pid, Ref } from '../term/index.ts';
import type { InboundCalls } from './inbound-calls.ts';
import type { PendingCalls } from './pending-call.ts';
import { isWaitedFor, isWaiting, MAX_RING, MAX_STEPS, remoteWaits } from './wait-graph.ts';

/** ms after which a wait is probed, and again each time its age has doubled. */
const PROBE_AFTER_MS = 50;
/** Pending calls that are looked at in {@link PROBE_AFTER_MS}. With more of them, probes are sent later. */
const CALLS_PER_LOOK = 10_000;
/** Steps that the probes of one peer may cost in {@link PROBE_AFTER_MS}. Further probes are dropped. */
export const PEER_STEPS = 10_000;
/** PIDs and references that are sent on for one peer in {@link PROBE_AFTER_MS}: one probe can become many, each with its whole way. */
export const PEER_PARTS = 20_000;
/** Most PIDs and references in the way of a probe. */
const MAX_WAY = 3 * MAX_RING;

/** The actors and waits that a probe has passed. */
type Way = readonly (Pid | Ref)[];

export class RingSearch {
  private readonly kernel: Kernel;
  private readonly calls: PendingCalls;
  private readonly inbound: InboundCalls;
  private readonly startedFor: (request: Ref) => Cell | undefined;
  /** Starts on other nodes that are waited for. */
  private readonly starts: Set<RemoteWait> = new Set();
  /** The way of the first round, until the second round has ended. */
  private readonly suspected: WeakMap<RemoteWait, { readonly round: Ref; readonly way: Way }> = new WeakMap();
  /** When the waits are looked at next, in ms of the runtime's clock. */
  private next = Number.POSITIVE_INFINITY;
  /** They are not looked at before this time. */
  private earliest = 0;
  private disarm: (() => void) | undefined = undefined;
  /** What the probes of each peer, by its number, have cost since the last reset; the next is at `spentUntil`. */
  private readonly spent: Map<number, Spent> = new Map();
  private spentUntil = 0;

  /** @param startedFor the actor whose init another node waits for, by the reference of the start. */
  constructor(
    kernel: Kernel,
    calls: PendingCalls,
    inbound: InboundCalls,
    startedFor: (request: Ref) => Cell | undefined,
  ) {
    this.kernel = kernel;
    this.calls = calls;
    this.inbound = inbound;
    this.startedFor = startedFor;
  }

  /** A wait for another node began at `started`. O(1). */
  watch(started: number): void {
    const at = Math.max(started + PROBE_AFTER_MS, this.earliest);
    if (at < this.next) this.arm(at);
  }

  watchStart(start: RemoteWait): void {
    this.starts.add(start);
    this.watch(start.started);
  }

  forgetStart(start: RemoteWait): void {
    this.starts.delete(start);
  }

  /** A probe of the peer with the number `nc` arrived. `value` may be any term. O(steps). */
  arrived(nc: number, value: unknown): void {
    if (!isProbe(value, nc)) return;
    const [kind, first, followed, steps, way, round] = value;
    const cell = this.inbound.targetOf(followed) ?? this.startedFor(followed);
    if (cell === undefined) return;
    const spent = this.spentBy(nc);
    const granted = Math.min(steps, MAX_STEPS, Math.max(0, PEER_STEPS - spent.steps));
    const { found, left } = remoteWaits(cell, granted);
    spent.steps += granted - left + 1;
    const share = Math.floor(left / found.length);
    for (const { wait, way: further } of found) {
      if ((spent.parts += way.length + further.length + 1) > PEER_PARTS) return;
      const whole = [...way, ...further];
      if (wait.address.equals(first)) this.returned(wait, whole, round);
      else if (this.isGreater(wait, kind, first)) this.probeAgain(wait);
      else this.send(wait, [kind, first, wait.address, share, [...whole, wait.address], round]);
    }
  }

  private arm(at: number): void {
    this.disarm?.();
    this.next = at;
    this.disarm = after(this.kernel, at - this.kernel.now(), () => this.look());
  }

  /** Probes the waits that are due. O(pending calls). */
  private look(): void {
    const now = this.kernel.now();
    const { byId } = this.calls;
    this.earliest = now + PROBE_AFTER_MS * Math.ceil(byId.size / CALLS_PER_LOOK);
    this.next = Number.POSITIVE_INFINITY;
    let due = Number.POSITIVE_INFINITY;
    const each = (wait: RemoteWait): void => {
      if (wait.caller === null || wait.node === undefined) return;
      if (now >= dueTime(wait)) this.probe(wait, now);
      due = Math.min(due, dueTime(wait));
    };
    byId.forEach(each);
    this.starts.forEach(each);
    if (due !== Number.POSITIVE_INFINITY) this.arm(Math.max(due, this.earliest));
  }

  /** Begins the first round, if the waiting actor can be part of a ring. */
  private probe(wait: RemoteWait, now: number): void {
    wait.probedAgeMs = now - wait.started;
    const { caller } = wait;
    if (caller !== null && isWaiting(caller) && isWaitedFor(caller)) this.begin(wait, null);
  }

  private probeAgain(wait: RemoteWait): void {
    const now = this.kernel.now();
    if (now - wait.started - wait.probedAgeMs >= PROBE_AFTER_MS) this.probe(wait, now);
  }

  private begin(wait: RemoteWait, round: Ref | null): void {
    const { caller, address } = wait;
    if (caller === null) return;
    this.send(wait, [kindOf(wait), address, address, MAX_STEPS, [caller.pid, address], round]);
  }

  private send({ node }: RemoteWait, probe: RingProbe): void {
    const [, , , steps, way] = probe;
    if (node !== undefined && steps > 0 && way.length <= MAX_WAY) this.kernel.remote.probe(node, probe);
  }

  /** A probe returned to the wait that it began with. */
  private returned(wait: RemoteWait, way: Way, round: Ref | null): void {
    if (round === null) {
      const second = this.kernel.newRef(wait.address.local);
      this.suspected.set(wait, { round: second, way });
      return this.begin(wait, second);
    }
    const suspected = this.suspected.get(wait);
    if (suspected === undefined || !suspected.round.equals(round) || !isSame(suspected.way, way)) return;
    // The last PID is the first one again.
    wait.closesRing(way.filter((part) => part instanceof Pid).slice(0, -1));
  }

  /** Whether `wait`, and not the wait `first` of the given kind, must fail when both are in one ring. */
  private isGreater(wait: RemoteWait, kind: RingProbe[0], first: Ref): boolean {
    if (kindOf(wait) !== kind) return kind === 'start';
    const { ownName, remote } = this.kernel;
    const node = first.nc === 0 ? ownName : remote.nodeOf(new Pid(first.nc, first.local));
    if (node === undefined) return false;
    return node === ownName ? wait.address.local > first.local : ownName > node;
  }

  private spentBy(nc: number): Spent {
    const now = this.kernel.now();
    if (now >= this.spentUntil) {
      this.spent.clear();
      this.spentUntil = now + PROBE_AFTER_MS;
    }
    let spent = this.spent.get(nc);
    if (spent === undefined) this.spent.set(nc, (spent = { steps: 0, parts: 0 }));
    return spent;
  }
}

/** The cost of one peer's probes. */
interface Spent {
  steps: number;
  parts: number;
}

const kindOf = ({ to }: RemoteWait): RingProbe[0] => (to === undefined ? 'start' : 'call');

const dueTime = ({ started, probedAgeMs }: RemoteWait): number =>
  started + Math.max(PROBE_AFTER_MS, 2 * probedAgeMs);

const isSame = (one: Way, other: Way): boolean =>
  one.length === other.length && one.every((part, index) => part.equals(other[index]));

/** Whether a peer's term is a probe along a wait of that peer. */
function isProbe(value: unknown, nc: number): value is RingProbe {
  if (!Array.isArray(value) || value.length !== 6) return false;
  const [kind, first, followed, steps, way, round] = value as unknown[];
  return (
    (kind === 'call' || kind === 'start') &&
    first instanceof Ref &&
    followed instanceof Ref &&
    followed.nc === nc &&
    Number.isSafeInteger(steps) &&
    (steps as number) > 0 &&
    Array.isArray(way) &&
    way.length <= MAX_WAY &&
    way.every((part) => part instanceof Pid || part instanceof Ref) &&
    (round === null || round instanceof Ref)
  );
}
