import { checkOptionNames, type OptionNames, type SnowmeshError } from '../errors/index.ts';
import {
  type DiscoveredNode,
  type Discovery,
  type DiscoveryListener,
  demand,
  isNodeName,
} from './discovery.ts';
import { fullName } from './node-name.ts';
import { checkNotRunning, POLLING_OPTIONS, Polling, type PollingOptions } from './polling.ts';
import { ADDRESS_OPTIONS, addressOf, ask, type PortmapAddress } from './portmap-client.ts';
import { Registration } from './portmap-registration.ts';
import { type Portmap, startPortmap } from './portmap-server.ts';

/** Which port mappers are asked. */
export interface PortmapDiscoveryOptions extends PollingOptions, PortmapAddress {
  /** What stands after the `@` in the names that are found. Default: as in the name of the node that registers, else `host`. */
  readonly hostname?: string | undefined;
  /** Whether the node that uses it registers itself. `false` for a port mapper on another machine. Default true. */
  readonly register?: boolean | undefined;
  /**
   * Whether the node that uses it runs the port mapper itself when it finds none, and takes over from another one
   * that is gone. Default false: it is started separately, for example with the command `snowmesh portmap`.
   */
  readonly embed?: boolean | undefined;
}

/**
 * Finds the nodes registered with the port mapper of one machine, registers the node that uses it (hidden nodes
 * excepted), and looks again every `intervalMs` (default 5000 ms).
 *
 * @returns a discovery for the option `discovery` of one node, which gives the name back when the node stops. The start of
 * that node fails with SNOW_ERR_PORTMAP_TAKEN when a living node is registered under its name. It tells SNOW_ERR_PORTMAP
 * while it cannot register, SNOW_ERR_DISCOVERY while it cannot look; what was found before still holds. After failures
 * the pause between look-ups doubles up to 30 s.
 * @throws SNOW_ERR_BAD_OPTION for options that make no sense.
 * @example
 * startNode({ name: 'a@127.0.0.1:0', cookie, discovery: portmapDiscovery({ embed: true }) });
 */
export function portmapDiscovery(options: PortmapDiscoveryOptions = {}): Discovery {
  checkOptionNames('portmapDiscovery', options, OPTIONS);
  const { register = true, embed = false, hostname } = options;
  demand(typeof register === 'boolean', 'register', register, 'true or false');
  demand(typeof embed === 'boolean', 'embed', embed, 'true or false');
  demand(register || !embed, 'embed', embed, 'false without register');
  demand(
    hostname === undefined || isHostname(hostname),
    'hostname',
    hostname,
    'what stands after the @ of a node name',
  );
  return new PortmapDiscovery(options, register, embed);
}

function isHostname(value: unknown): boolean {
  return typeof value === 'string' && isNodeName(fullName('a', value));
}

const OPTIONS: OptionNames<PortmapDiscoveryOptions> = {
  ...POLLING_OPTIONS,
  ...ADDRESS_OPTIONS,
  hostname: true,
  register: true,
  embed: true,
};

class PortmapDiscovery implements Discovery {
  readonly #options: PortmapDiscoveryOptions;
  readonly #registers: boolean;
  readonly #embeds: boolean;
  readonly #polling: Polling;
  #self: DiscoveredNode | undefined;
  #registration: Registration | undefined;
  /** The port mapper that runs here, or is about to. */
  #embedded: Promise<Portmap | undefined> | undefined;

  constructor(options: PortmapDiscoveryOptions, registers: boolean, embeds: boolean) {
    const { host, port } = addressOf(options);
    this.#options = options;
    this.#registers = registers;
    this.#embeds = embeds;
    const look = async (signal: AbortSignal): Promise<string[]> => {
      const { socket, entries } = await ask({ op: 'list' }, options, signal);
      socket.destroy();
      const hostname = options.hostname ?? this.#self?.host ?? host;
      return entries.map((entry) => fullName(entry.name, hostname, entry.port));
    };
    this.#polling = new Polling({ look, what: `the port mapper ${host}:${port}`, backsOff: true }, options);
  }

  start(listener: DiscoveryListener, self?: DiscoveredNode): void | Promise<void> {
    if (self === undefined || !this.#registers) return this.#polling.start(listener);
    checkNotRunning(this.#registration);
    return this.#join(listener, self);
  }

  async stop(): Promise<void> {
    this.#polling.stop();
    this.#registration?.close();
    this.#registration = undefined;
    this.#self = undefined;
    const embedded = this.#embedded;
    this.#embedded = undefined;
    await (await embedded)?.close();
  }

  /** Looks only when it is registered: an embedded port mapper must be there first. */
  async #join(listener: DiscoveryListener, self: DiscoveredNode): Promise<void> {
    const failed = (error: SnowmeshError): void => listener.failed(error);
    const registration: Registration = new Registration(
      self.name,
      self.port,
      { ...this.#options, failed },
      () => this.#serve(registration, failed),
    );
    this.#registration = registration;
    this.#self = self;
    try {
      await registration.registerOrRetry();
    } catch (error) {
      if (this.#registration === registration) await this.stop();
      throw error;
    }
    if (this.#registration === registration) this.#polling.start(listener);
  }

  /** Runs a port mapper unless there is one; several may try, and one of them gets the port. */
  async #serve(registration: Registration, failed: (error: SnowmeshError) => void): Promise<void> {
    if (!this.#embeds || (await this.#embedded) !== undefined) return;
    if (this.#registration !== registration) return; // stopped meanwhile
    const { host, port } = addressOf(this.#options);
    this.#embedded = startPortmap({ host, port, keepAlive: false }).catch((error: SnowmeshError) => {
      if (!isInUse(error)) failed(error);
      return undefined;
    });
    await this.#embedded;
  }
}

function isInUse(error: SnowmeshError): boolean {
  return (error.cause as { code?: unknown } | undefined)?.code === 'EADDRINUSE';
}
