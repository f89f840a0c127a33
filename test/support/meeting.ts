// The start of the interop tests: a node in a process of its own, and a `PlainPeer` that is connected to it.
import { expect } from 'vitest';
import { Cluster, type ClusterNode, COOKIE } from './cluster.ts';
import { PlainPeer } from './plain-peer.ts';
import { type PlainPid, pidTerm, type Term } from './plain-terms.ts';

/** A PID that stands in a message is a term of its own. */
export type PidTerm = Term<'pid', PlainPid>;
export const PLAIN = 'plain@127.0.0.1:7';

export class Meeting implements AsyncDisposable {
  readonly cluster: Cluster;
  readonly node: ClusterNode;
  /** A test may replace it by one that dialled again. */
  peer!: PlainPeer;

  private constructor(cluster: Cluster, node: ClusterNode) {
    this.cluster = cluster;
    this.node = node;
  }

  static async arrange(): Promise<Meeting> {
    const cluster = new Cluster();
    const meeting = new Meeting(cluster, await cluster.node({ name: 'real' }));
    meeting.peer = await meeting.dial();
    await meeting.node.run((bench) => bench.node.ready({ peers: 1 })); // the peer may know of the session first
    return meeting;
  }

  async dial(name = PLAIN, cookie = COOKIE): Promise<PlainPeer> {
    return PlainPeer.dial(await this.node.run((bench) => bench.node.port), cookie, name, this.node.name);
  }

  /** Starts a recording actor `box[name]` on the node. Returns its PID, as the peer has to write it. */
  async probe(name: string): Promise<PlainPid> {
    const { node, peer } = this;
    await node.run(async (bench, label) => void (bench.box[label] = await bench.probe(label, true)), name);
    peer.send('REG_SEND', name, pidTerm(peer.mine(1)));
    await node.run(async (bench, label) => {
      const it = bench.box[label];
      const [to] = (await it.count(1)) as [never];
      it.self.send(to, it.pid);
      it.messages.splice(0);
    }, name);
    const [to, hello] = await peer.next('SEND');
    expect(to).toMatchObject({ local: 1 });
    return peer.ours((hello as PidTerm).value);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.peer.close();
    await this.cluster.stop();
  }
}
