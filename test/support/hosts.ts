// Hosts with addresses of their own, imitated by network namespaces on one switch. A cut there closes no connection, as when a cable is
// pulled; a proxy that ends closes its connections. Needs Linux, `ip` and the right to use it.
import { execFileSync } from 'node:child_process';

const ip = (...words: string[]): string => execFileSync('ip', words, { encoding: 'utf8', stdio: 'pipe' });

/** One imitated machine. */
export interface Host {
  readonly address: string;
  /** What `ip netns exec` calls it. */
  readonly namespace: string;
}

/** Whether this machine lets a test make hosts. */
export function canMakeHosts(): boolean {
  try {
    new Hosts(1).close();
    return true;
  } catch {
    return false;
  }
}

let made = 0;

/** Some hosts that reach each other until they are cut off. */
export class Hosts {
  readonly all: readonly Host[];
  readonly #switch: string;
  readonly #prefix: string;

  constructor(count: number) {
    this.#prefix = `sm-${process.pid}-${made++}`;
    this.#switch = `${this.#prefix}-switch`;
    this.all = Array.from({ length: count }, (_, at) => ({
      address: `10.83.0.${at + 1}`,
      namespace: `${this.#prefix}-h${at + 1}`,
    }));
    try {
      this.#make();
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Drops all packets to and from this host. No connection is closed. */
  cut(host: Host): void {
    ip('-n', this.#switch, 'link', 'set', this.#port(host), 'nomaster');
  }

  heal(host: Host): void {
    ip('-n', this.#switch, 'link', 'set', this.#port(host), 'master', 'bridge');
  }

  /** As after a power failure: its kernel has no former connections. Its processes must have ended. */
  reboot(host: Host): void {
    ip('-n', this.#switch, 'link', 'del', this.#port(host)); // a namespace takes its time to go
    ip('netns', 'del', host.namespace);
    this.#add(host);
  }

  /** Removes them. Their processes must have ended. */
  close(): void {
    for (const name of [this.#switch, ...this.all.map(({ namespace }) => namespace)]) {
      try {
        ip('netns', 'del', name);
      } catch {
        // It was not made.
      }
    }
  }

  #make(): void {
    const bridge = this.#switch;
    ip('netns', 'add', bridge);
    ip('-n', bridge, 'link', 'add', 'bridge', 'type', 'bridge');
    ip('-n', bridge, 'link', 'set', 'bridge', 'up');
    for (const host of this.all) this.#add(host);
  }

  #add(host: Host): void {
    const { namespace, address } = host;
    const [bridge, port] = [this.#switch, this.#port(host)];
    ip('netns', 'add', namespace);
    ip('link', 'add', port, 'netns', bridge, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace);
    ip('-n', bridge, 'link', 'set', port, 'master', 'bridge', 'up');
    ip('-n', namespace, 'addr', 'add', `${address}/24`, 'dev', 'eth0');
    for (const device of ['eth0', 'lo']) ip('-n', namespace, 'link', 'set', device, 'up');
  }

  #port({ address }: Host): string {
    return `port${address.split('.').at(-1)}`;
  }
}
