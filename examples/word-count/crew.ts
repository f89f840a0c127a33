// The three node processes: started, told what to do, and certainly ended. Whatever happens - the job is done, the
// user presses Ctrl-C, a node dies, the launcher itself is killed - no process stays behind: each child also ends by
// itself when the channel to the launcher closes.
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Order, Report } from './orders.ts';

/** How long a node may take to leave the cluster in good order. Unit: ms. */
const GRACE_MS = 3_000;
/** A failure is reported only this much later, in case it has a cause elsewhere. Unit: ms. */
const BLAME_MS = 300;

type ReportOf<T extends Report['type']> = Extract<Report, { type: T }>;

export interface Member {
  readonly letter: string;
  readonly pid: number;
  /** Full node name; known once it is up. */
  name: string;
}

interface Waiter {
  readonly type: Report['type'];
  readonly resolve: (report: never) => void;
}

/** A node process ended, or failed, before it should have. */
export class NodeLost extends Error {}

/** A node process as the launcher sees it. */
class NodeProcess implements Member {
  readonly letter: string;
  readonly child: ChildProcess;
  readonly ended: Promise<void>;
  name: string;
  /** Rejects with NodeLost when the node is lost; never settles otherwise. */
  readonly lost: Promise<never>;
  lose!: (loss: NodeLost) => void;
  isLost = false;
  private readonly waiters: Waiter[] = [];

  constructor(letter: string) {
    this.letter = letter;
    this.name = letter;
    // The extension is that of this file, which runs from source or compiled.
    const worker = new URL(
      `./worker${import.meta.url.slice(import.meta.url.lastIndexOf('.'))}`,
      import.meta.url,
    );
    this.child = fork(fileURLToPath(worker), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    this.ended = new Promise((resolve) => this.child.once('exit', () => resolve()));
    this.lost = new Promise((_resolve, reject) => {
      this.lose = reject;
    });
    this.lost.catch(() => {}); // it may come while nobody waits
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  tell(order: Order): void {
    if (this.child.connected) this.child.send(order, () => {}); // a broken channel shows as the end of the process
  }

  next<T extends Report['type']>(type: T): Promise<ReportOf<T>> {
    return new Promise((resolve) => this.waiters.push({ type, resolve }));
  }

  take(report: Report): void {
    const at = this.waiters.findIndex(({ type }) => type === report.type);
    if (at >= 0) this.waiters.splice(at, 1)[0]?.resolve(report as never);
  }
}

/** Whoever wants to know what the nodes say, and when one is lost. */
export interface CrewListener {
  heard(at: number, report: Report): void;
  lost(at: number, why: string): void;
}

export class Crew {
  private readonly processes: NodeProcess[];
  private readonly listener: CrewListener;
  private isStopping = false;

  /** Starts one process a letter. */
  constructor(letters: readonly string[], listener: CrewListener) {
    this.listener = listener;
    this.processes = letters.map((letter) => new NodeProcess(letter));
    for (const [at, node] of this.processes.entries()) this.watch(node, at);
  }

  get members(): readonly Member[] {
    return this.processes;
  }

  isThere(at: number): boolean {
    return this.processes[at]?.isLost === false;
  }

  tell(at: number, order: Order): void {
    this.processes[at]?.tell(order);
  }

  /** The next report of this type from one node. Rejects with NodeLost when that node is lost before. */
  async next<T extends Report['type']>(at: number, type: T): Promise<ReportOf<T>> {
    const node = this.processes[at];
    if (node === undefined) throw new RangeError(`there is no node ${at}`);
    return Promise.race([node.next(type), node.lost]);
  }

  /** Gives each node an order and waits until all have answered. */
  async all<T extends Report['type']>(order: (at: number) => Order, type: T): Promise<ReportOf<T>[]> {
    const answers = this.processes.map((_node, at) => this.next(at, type));
    for (const at of this.processes.keys()) this.tell(at, order(at));
    return Promise.all(answers);
  }

  /** Ends every process: in good order, after a grace by force. Resolves when all are gone. */
  async stop(): Promise<void> {
    this.isStopping = true;
    for (const node of this.processes) node.tell({ type: 'stop' });
    const force = setTimeout(() => this.kill(), GRACE_MS);
    await Promise.all(this.processes.map(({ ended }) => ended));
    clearTimeout(force);
  }

  /** Ends every process at once. */
  kill(): void {
    this.isStopping = true;
    for (const { child } of this.processes) child.kill('SIGKILL');
  }

  /** Ends one node process at once. */
  killOne(at: number): void {
    this.processes[at]?.child.kill('SIGKILL');
  }

  private watch(node: NodeProcess, at: number): void {
    node.child.on('message', (message) => {
      const report = message as Report;
      if (report.type === 'up') node.name = report.name;
      // Another node that dies can make this one fail too; the dead one is to be named first.
      if (report.type === 'failed') setTimeout(() => this.lose(node, at, report.why), BLAME_MS);
      this.listener.heard(at, report);
      node.take(report);
    });
    node.child.once('error', (error) => this.lose(node, at, error.message));
    node.child.once('exit', (code, signal) =>
      this.lose(node, at, `its process ended (${signal ?? `code ${code}`})`),
    );
  }

  /** What failed is of no use any more: it ends, and the others do its work. */
  private lose(node: NodeProcess, at: number, why: string): void {
    if (this.isStopping || node.isLost) return;
    node.isLost = true;
    node.child.kill('SIGKILL');
    const what = `Node ${node.name} (pid ${node.pid}) was lost: ${why}.`;
    this.listener.lost(at, what);
    node.lose(new NodeLost(what));
  }
}
