// Node options from environment variables.
import { dnsDiscovery, fileDiscovery, portmapDiscovery, staticList } from '../discovery/index.ts';
import { nearestName, SnowmeshError } from '../errors/index.ts';
import type { ListenOptions, NodeDiscovery, NodeOptions } from './options.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const PREFIX = 'SNOWMESH_';
/** Read by the loader of the native core, not here. */
const NATIVE_PATH = 'SNOWMESH_NATIVE_PATH';
/** Kubernetes and Docker set these for a service that is called `snowmesh`. */
const SERVICE_VARIABLES = /^SNOWMESH_(?:SERVICE_|PORT(?:_|$)|ENV_)/;

type Reader = (text: string, variable: string) => Partial<NodeOptions>;

/** The option that each variable sets. */
const VARIABLES: Readonly<Record<string, Reader>> = {
  SNOWMESH_NAME: (name) => ({ name }),
  SNOWMESH_COOKIE: (cookie) => ({ cookie }),
  SNOWMESH_COOKIE_FILE: (cookieFile) => ({ cookieFile }),
  SNOWMESH_LISTEN: (text, variable) => ({ listen: listenOf(text, variable) }),
  SNOWMESH_DISCOVERY: (text, variable) => ({ discovery: discoveryOf(text, variable) }),
  SNOWMESH_HIDDEN: (text, variable) => ({ hidden: flagOf(text, variable) }),
  SNOWMESH_INTROSPECTION: (text, variable) => ({ introspection: flagOf(text, variable) }),
  SNOWMESH_AUTO_CONNECT: (text) => ({ autoConnect: text as NonNullable<NodeOptions['autoConnect']> }),
  SNOWMESH_MESH: (text) => ({ mesh: text as NonNullable<NodeOptions['mesh']> }),
  SNOWMESH_TICK_MS: (text, variable) => ({ tickMs: numberOf(text, variable) }),
  SNOWMESH_DOWN_MS: (text, variable) => ({ downMs: numberOf(text, variable) }),
};

/**
 * The options of a node: `given`, and for the others the environment variables. An empty variable counts as not set.
 *
 * @throws SNOW_ERR_BAD_OPTION for an unknown variable that begins with SNOWMESH_, and for an invalid value.
 */
export function optionsFrom(environment: Environment, given: NodeOptions): NodeOptions {
  const found: Partial<NodeOptions> = {};
  for (const [variable, text] of Object.entries(environment)) {
    if (!variable.startsWith(PREFIX) || text === undefined || text === '' || variable === NATIVE_PATH)
      continue;
    const read = VARIABLES[variable];
    if (read !== undefined && Object.hasOwn(VARIABLES, variable)) Object.assign(found, read(text, variable));
    else if (!SERVICE_VARIABLES.test(variable)) throw unknownVariable(variable);
  }
  if (given.cookie !== undefined || given.cookieFile !== undefined) {
    delete (found as { cookie?: string }).cookie;
    delete (found as { cookieFile?: string }).cookieFile;
  }
  if (found.cookie !== undefined && found.cookieFile !== undefined) {
    const why = 'SNOWMESH_COOKIE and SNOWMESH_COOKIE_FILE are both set: unset one of them';
    throw new SnowmeshError('SNOW_ERR_BAD_OPTION', why);
  }
  // An option that is given as undefined counts as not given.
  const set = Object.entries(given).filter(([, value]) => value !== undefined);
  return { ...found, ...Object.fromEntries(set) };
}

function unknownVariable(variable: string): SnowmeshError {
  const known = Object.keys(VARIABLES);
  const near = nearestName(variable, known);
  const hint = near === undefined ? `the variables are ${known.join(', ')}` : `did you mean ${near}?`;
  return new SnowmeshError('SNOW_ERR_BAD_OPTION', `${variable} is not a variable of snowmesh; ${hint}`);
}

/** `host`, `host:port`, `[ipv6]:port`, `:port`. */
function listenOf(text: string, variable: string): ListenOptions {
  const [, ipv6, plain = '', digits] = /^(?:\[([^\]]+)\]|([^:[\]]*))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const host = ipv6 ?? plain;
  const port = digits === undefined ? undefined : Number(digits);
  if ((host === '' && port === undefined) || (port ?? 0) > 65_535)
    throw bad(variable, text, 'host, host:port, [ipv6]:port or :port');
  return { ...(host === '' ? {} : { host }), ...(port === undefined ? {} : { port }) };
}

/** `list:name,name`, `dns:name@host[:port]`, `srv:name@service`, `file:path`, `portmap[:host][:port]`, `portmap+embed…`. */
function discoveryOf(text: string, variable: string): NodeDiscovery {
  const [, kind, rest = ''] = /^([a-z+]+)(?::(.*))?$/s.exec(text) ?? [];
  const [, name = '', hostname = '', port] = /^([^@]+)@([^:]+)(?::(\d{1,5}))?$/.exec(rest) ?? [];
  const named = { name, hostname };
  switch (kind) {
    case 'list':
      return staticList(rest.split(',').map((each) => each.trim()));
    case 'file':
      return fileDiscovery({ path: rest });
    case 'dns':
      if (name === '') break;
      return dnsDiscovery({ ...named, query: 'a', ...(port === undefined ? {} : { port: Number(port) }) });
    case 'srv':
      if (name === '' || port !== undefined) break;
      return dnsDiscovery({ ...named, query: 'srv' });
    case 'portmap':
    case 'portmap+embed':
      return portmapDiscovery({
        ...(rest === '' ? {} : listenOf(rest, variable)),
        embed: kind !== 'portmap',
      });
    default:
  }
  const wanted =
    'list:name@host:port,…, dns:name@host:port, srv:name@service, file:path, portmap[:host:port] or portmap+embed[:host:port]';
  throw bad(variable, text, wanted);
}

function flagOf(text: string, variable: string): boolean {
  if (text === 'true' || text === '1') return true;
  if (text === 'false' || text === '0') return false;
  throw bad(variable, text, 'true, false, 1 or 0');
}

function numberOf(text: string, variable: string): number {
  if (/^\d{1,12}$/.test(text)) return Number(text);
  throw bad(variable, text, 'a whole number of ms');
}

function bad(variable: string, text: string, wanted: string): SnowmeshError {
  return new SnowmeshError(
    'SNOW_ERR_BAD_OPTION',
    `${variable} is ${JSON.stringify(text)}; it must be ${wanted}`,
  );
}
