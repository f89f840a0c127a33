import { randomUUID } from 'node:crypto';
import { checkOptionNames, type OptionNames, SnowmeshError } from '../errors/index.ts';
import { demand, isLocalName, isPort } from './discovery.ts';
import { ADDRESS_OPTIONS, ask, broken, type PortmapAddress } from './portmap-client.ts';
import type { Registering } from './portmap-protocol.ts';

/** Pauses before a registration that was lost is made again: the first time, and while that fails. Unit: ms. */
const FIRST_RETRY_MS = 50;
const RETRY_MS = 1000;

/** Which port mapper a node is registered with. */
export interface RegisterOptions extends PortmapAddress {
  /**
   * The registration was lost, or could not be made again. It is tried again; a failure that repeats itself is told once. What this
   * throws, or rejects with, is ignored.
   */
  readonly failed?: ((error: SnowmeshError) => unknown) | undefined;
}

/** A name held with a port mapper. */
export interface PortmapRegistration {
  /** Gives the name back. */
  close(): void;
}

/**
 * Registers a node of this machine, and again within seconds whenever the port mapper was away. Nodes that use
 * `portmapDiscovery` need not do this: they register by themselves.
 *
 * @param name what stands before the `@` of the node's name.
 * @param listenPort the port the node listens on.
 * @returns the registration, once it is made. It keeps no process alive.
 * @throws SNOW_ERR_BAD_OPTION; SNOW_ERR_PORTMAP_TAKEN when a living node has the name; SNOW_ERR_PORTMAP when there is no
 * port mapper within 5 s, or it refuses.
 * @example
 * const registration = await registerWithPortmap('shop', node.port);
 */
export async function registerWithPortmap(
  name: string,
  listenPort: number,
  options: RegisterOptions = {},
): Promise<PortmapRegistration> {
  checkOptionNames('registerWithPortmap', options, REGISTER_OPTIONS);
  const registration = new Registration(name, listenPort, options);
  await registration.register();
  return registration;
}

const REGISTER_OPTIONS: OptionNames<RegisterOptions> = { ...ADDRESS_OPTIONS, failed: true };

/** One name, registered as long as this is not closed and there is a port mapper. */
export class Registration implements PortmapRegistration {
  readonly #request: Registering;
  readonly #options: RegisterOptions;
  /** Runs before each try; must not throw. */
  readonly #prepare: () => Promise<void>;
  readonly #end = new AbortController();
  #lastFailure: string | undefined;

  constructor(name: string, port: number, options: RegisterOptions, prepare = async (): Promise<void> => {}) {
    const { failed } = options;
    demand(isLocalName(name), 'name', name, 'what stands before the @ of a node name');
    demand(isPort(port), 'listenPort', port, 'a port, 1 to 65535');
    demand(failed === undefined || typeof failed === 'function', 'failed', failed, 'a function');
    this.#request = { op: 'register', name, port, incarnation: randomUUID() };
    this.#options = options;
    this.#prepare = prepare;
  }

  /** Tries once. Rejects when it fails. */
  async register(): Promise<void> {
    await this.#prepare();
    const { signal } = this.#end;
    if (signal.aborted) return;
    const { socket } = await ask(this.#request, this.#options, signal);
    this.#lastFailure = undefined;
    socket.setKeepAlive(true, 30_000);
    socket.once('close', () => {
      if (!signal.aborted) this.#lost(broken(this.#options, 'it closed the connection'), FIRST_RETRY_MS);
    });
  }

  /** Tries once, and rejects if the name is taken. After another failure it tries again, until it is closed. */
  async registerOrRetry(): Promise<void> {
    try {
      await this.register();
    } catch (error) {
      if (!isOfPortmap(error)) throw error;
      this.#lost(error, RETRY_MS);
    }
  }

  close(): void {
    this.#end.abort();
  }

  #lost(error: SnowmeshError, pauseMs: number): void {
    if (this.#end.signal.aborted) return;
    setTimeout(() => void this.#registerAgain(), pauseMs).unref();
    if (error.message === this.#lastFailure) return;
    this.#lastFailure = error.message;
    void this.#tell(error);
  }

  /** A listener that fails must not end the process. */
  async #tell(error: SnowmeshError): Promise<void> {
    try {
      await this.#options.failed?.(error);
    } catch {
      // There is no other place to report it.
    }
  }

  async #registerAgain(): Promise<void> {
    try {
      await this.register();
    } catch (error) {
      this.#lost(error as SnowmeshError, RETRY_MS);
    }
  }
}

function isOfPortmap(error: unknown): error is SnowmeshError {
  return error instanceof SnowmeshError && error.code === 'SNOW_ERR_PORTMAP';
}
