// A node that exists only as a RemotePort: tests take it away and bring it back, and see what was asked of it.
import { type ExitReason, type RemoteSpawn, type Runtime, SpawnStatus } from '../../../ts/actor/index.ts';
import { copyTerm, Pid, type Ref } from '../../../ts/term/index.ts';

export const FAR = 'far@host:1';

/** Where and as whom; the port of everything else stays as it was. */
export class FarNode {
  isUp = true;
  /** What is asked of it is never answered, as of one that is frozen, or beyond a black hole. */
  isFrozen = false;
  /** What a start is answered with; undefined: a child. */
  refusal: { status: SpawnStatus; detail?: unknown } | undefined = undefined;
  /** What it was asked for, in order: `start`, `kill` and whom, `check`. */
  readonly log: string[] = [];
  /** The arguments of each start, in order. */
  readonly started: (readonly unknown[])[] = [];
  /** It answers checks in a later turn of the event loop. */
  isSlow = false;
  /** Looks that wait for an answer: now, and the most there were. */
  readonly checks = { now: 0, most: 0 };
  /** Those who live there, also beyond a split. */
  readonly living = new Set<number>();
  readonly #runtime: Runtime;
  readonly #nc: number;
  readonly #name: string;
  readonly #parents = new Map<number, Pid>();
  readonly #watches: { to: number; ref: Ref; target: number }[] = [];
  #next = 1;
  /** Another one after each loss. */
  #connection = {};

  constructor(runtime: Runtime, name = FAR, nc = 256) {
    this.#runtime = runtime;
    this.#name = name;
    this.#nc = nc;
    const below = runtime.remote;
    const isOurs = (target: Pid | { node: string }): boolean =>
      target instanceof Pid ? target.nc === nc : target.node === name;
    runtime.remote = {
      ...below,
      nodeOf: (pid) => (pid.nc === nc ? name : below.nodeOf(pid)),
      spawn: (request) => (request.node === name ? this.#spawn(request) : below.spawn(request)),
      monitor: (from, ref, target) =>
        isOurs(target) ? this.#monitor(from, ref, target) : below.monitor(from, ref, target),
      existingRoute: (node) => {
        if (node !== name) return below.existingRoute(node);
        return this.isUp && !this.isFrozen ? this.#connection : undefined;
      },
      // The exit signal of a link: its parent ended.
      exit: (from, to, reason) => (isOurs(to) ? this.#exit(to.local, reason) : below.exit(from, to, reason)),
      exit2: (from, to, reason) =>
        isOurs(to) ? this.#exit(to.local, reason) : below.exit2(from, to, reason),
    };
  }

  /** The connection is gone; whoever lives there lives on. */
  cut(): void {
    this.isUp = false;
    this.#watches.length = 0;
    this.#lost();
  }

  /** The node answers nothing, and was taken for lost; a connection to it is tried for ever. */
  freeze(): void {
    this.isFrozen = true;
    this.#watches.length = 0;
    this.#lost();
  }

  /** It can be reached again; what waited for an answer while it was frozen is lost with that connection. */
  heal(): void {
    const wasFrozen = this.isFrozen;
    this.isFrozen = false;
    this.isUp = true;
    if (wasFrozen) this.#lost();
  }

  /** It connects to this node. */
  connect(): void {
    this.heal();
    this.#runtime.arrivals.up(this.#name);
  }

  /** The node is gone with all that lived there. */
  crash(): void {
    this.living.clear();
    this.cut();
  }

  /** A child ends by itself. */
  end(local: number, reason: ExitReason): void {
    this.living.delete(local);
    const { inbound } = this.#runtime;
    for (const { to, ref } of this.#watchesOf(local)) inbound.monitorExit(null, to, ref, reason);
    const parent = this.#parents.get(local);
    if (parent !== undefined) inbound.exit(new Pid(this.#nc, local), parent.local, reason);
  }

  logged(): string[] {
    return this.log.splice(0);
  }

  #later(action: () => void): void {
    queueMicrotask(action);
  }

  #lost(): void {
    this.#connection = {};
    this.#runtime.losses.begin(this.#nc, this.#name);
  }

  /** Starts are answered when they are released, in order. */
  holdStarts(): { release(): void } {
    const held: (() => void)[] = [];
    this.#held = held;
    return {
      release: () => {
        this.#held = undefined;
        for (const start of held) start();
      },
    };
  }
  #held: (() => void)[] | undefined;

  #spawn(request: RemoteSpawn): void {
    copyTerm(request.args); // what cannot travel throws
    this.log.push('start');
    this.started.push(request.args);
    if (this.#held === undefined) this.#answer(request);
    else this.#held.push(() => this.#answer(request));
  }

  #answer({ from, request }: RemoteSpawn): void {
    this.#later(() => {
      if (this.isFrozen) return undefined;
      if (!this.isUp) return this.#lost();
      const { refusal } = this;
      const local = refusal === undefined ? this.#next++ : 0;
      if (local > 0) {
        this.living.add(local);
        this.#parents.set(local, from);
      }
      const { status = SpawnStatus.ok, detail } = refusal ?? {};
      this.#runtime.spawns.replied(from.local, request, status, new Pid(this.#nc, local), detail);
    });
  }

  #monitor(from: Pid, ref: Ref, target: Pid | { name: string }): void {
    const local = target instanceof Pid ? target.local : -1;
    const isCheck = local === -1;
    if (isCheck) {
      this.log.push('check');
      this.checks.most = Math.max(this.checks.most, ++this.checks.now);
    }
    const later = isCheck && this.isSlow ? setImmediate : this.#later;
    later(() => {
      if (this.isFrozen) return;
      if (isCheck) this.checks.now--;
      if (!this.isUp) this.#lost();
      else if (this.living.has(local)) this.#watches.push({ to: from.local, ref, target: local });
      else this.#runtime.inbound.monitorExit(null, from.local, ref, 'noproc');
    });
  }

  #exit(local: number, reason: ExitReason): void {
    this.log.push(`${String(reason)} ${local}`);
    this.#later(() => {
      if (this.isUp && !this.isFrozen && this.living.has(local))
        this.end(local, reason === 'kill' ? 'killed' : reason);
    });
  }

  #watchesOf(local: number): { to: number; ref: Ref }[] {
    const found = this.#watches.filter(({ target }) => target === local);
    for (const watch of found) this.#watches.splice(this.#watches.indexOf(watch), 1);
    return found;
  }
}
