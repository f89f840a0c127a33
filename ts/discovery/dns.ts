import { Resolver } from 'node:dns/promises';
import { checkOptionNames, type OptionNames } from '../errors/index.ts';
import { type Discovery, demand, isLocalName, isNodeName, isPort } from './discovery.ts';
import { fullName } from './node-name.ts';
import { POLLING_OPTIONS, Polling, type PollingOptions } from './polling.ts';

/** How long one question may take, and how often it is asked. Unit: ms. */
const QUESTION = { timeout: 3000, tries: 2 };

/** The part of `Resolver` of `node:dns/promises` that is used. Its answers must come, or fail, in finite time. */
export interface DnsResolver {
  resolve4(hostname: string): Promise<readonly string[]>;
  resolve6(hostname: string): Promise<readonly string[]>;
  resolveSrv(hostname: string): Promise<readonly { readonly name: string; readonly port: number }[]>;
}

/** Which DNS records hold the nodes. */
export interface DnsOptions extends PollingOptions {
  /** What stands before the `@` in the names of all nodes. */
  readonly name: string;
  /** `a`: every address of `hostname` is a node, IPv4 and IPv6. `srv`: every target of its SRV records, with its port. */
  readonly query: 'a' | 'srv';
  readonly hostname: string;
  /** Port of all nodes, with `a`. Default: the usual port of nodes. SRV records bring their own. */
  readonly port?: number | undefined;
  /** Only addresses of this family, with `a`. Default: both. */
  readonly family?: 4 | 6 | undefined;
  /** Default: a resolver of this process that asks the name servers of the system. */
  readonly resolver?: DnsResolver | undefined;
}

/**
 * Finds nodes by the addresses or SRV records of a name, and looks again every `intervalMs` (default 5000 ms).
 *
 * A look-up that fails, or finds no record at all, changes nothing: what was found before still holds. After failures the pause
 * doubles up to 30 s.
 *
 * @returns a discovery for the option `discovery` of one node. It fails with SNOW_ERR_DISCOVERY, also above 4096 names.
 * @throws SNOW_ERR_BAD_OPTION for options that make no sense.
 * @example
 * dnsDiscovery({ name: 'shop', query: 'a', hostname: 'shop-headless.default.svc.cluster.local', port: 9000 });
 */
export function dnsDiscovery(options: DnsOptions): Discovery {
  checkOptionNames('dnsDiscovery', options, DNS_OPTIONS);
  const { name, query, hostname, port } = options;
  demand(isLocalName(name), 'name', name, 'what stands before the @ of a node name');
  demand(query === 'a' || query === 'srv', 'query', query, "'a' or 'srv'");
  demand(typeof hostname === 'string' && hostname !== '', 'hostname', hostname, 'a host name');
  demand(port === undefined || isPort(port), 'port', port, 'a port, 1 to 65535');
  const own = options.resolver === undefined ? new Resolver(QUESTION) : undefined;
  const resolver = options.resolver ?? (own as Resolver);
  const look = async (signal: AbortSignal): Promise<string[]> => {
    const cancel = (): void => own?.cancel(); // a question under way would keep the process alive
    signal.addEventListener('abort', cancel);
    try {
      const all = query === 'srv' ? await services(resolver, options) : await addresses(resolver, options);
      const names = all.filter(isNodeName);
      if (names.length === 0) throw new Error('the answer has no record that names a node');
      return names;
    } finally {
      signal.removeEventListener('abort', cancel);
    }
  };
  return new Polling({ look, what: `DNS (${query} ${hostname})`, backsOff: true }, options);
}

const DNS_OPTIONS: OptionNames<DnsOptions> = {
  ...POLLING_OPTIONS,
  name: true,
  query: true,
  hostname: true,
  port: true,
  family: true,
  resolver: true,
};

async function services(resolver: DnsResolver, { name, hostname }: DnsOptions): Promise<string[]> {
  const records = await resolver.resolveSrv(hostname);
  return records
    .filter((record) => isPort(record.port))
    .map((record) => fullName(name, record.name.replace(/\.$/, ''), record.port));
}

/** A name may have no addresses of one family; if the other was not told, half the nodes would seem gone. */
async function addresses(resolver: DnsResolver, options: DnsOptions): Promise<string[]> {
  const { name, hostname, port, family } = options;
  const questions = [
    ...(family === 6 ? [] : [resolver.resolve4(hostname)]),
    ...(family === 4 ? [] : [resolver.resolve6(hostname)]),
  ];
  const answers = await Promise.allSettled(questions);
  const failures = answers
    .filter((answer) => answer.status === 'rejected')
    .map(({ reason }) => reason as unknown);
  const bad = failures.find((reason) => !isNoRecord(reason));
  if (bad !== undefined) throw bad;
  if (failures.length === answers.length) throw failures[0];
  return answers
    .flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []))
    .map((address) => fullName(name, address, port));
}

function isNoRecord(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  return code === 'ENODATA' || code === 'ENOTFOUND';
}
