import { loadNative, type OpenOptions } from '../../bindings/index.ts';
import { SnowmeshError } from '../errors/index.ts';
import { LocalNames } from '../registry/index.ts';
import { Cluster } from './cluster.ts';
import { resolveCookie } from './cookie.ts';
import { optionsFrom } from './from-env.ts';
import { Node } from './node.ts';
import { type NodeName, parseNodeName } from './node-name.ts';
import { checkOptions, type Limits, type NodeOptions } from './options.ts';

/** Bytes that system frames may add above the limit for user messages before the session ends. */
const SYSTEM_MARGIN = 16 * 1024 * 1024;

/**
 * Starts a node: the runtime for actors and, when it has a name, its place in a cluster.
 *
 * Resolves when the node runs; a named node listens then, and other nodes can connect.
 *
 * @param options see {@link NodeOptions}; nothing is required.
 * @throws (as a rejection) SNOW_ERR_NODE_NAME, SNOW_ERR_COOKIE_MISSING, SNOW_ERR_COOKIE_WEAK, SNOW_ERR_COOKIE_FILE,
 * SNOW_ERR_BAD_OPTION, SNOW_ERR_LISTEN when the address cannot be bound, SNOW_ERR_NATIVE_MISSING and
 * SNOW_ERR_NATIVE_ABI when the native core cannot be loaded.
 *
 * @example
 * const node = await startNode({ name: 'a@127.0.0.1:9000', cookieFile: './cookie' });
 * await node.connect('b@127.0.0.1:9001');
 * node.send({ name: 'greeter', node: 'b@127.0.0.1:9001' }, 'hello');
 * await node.stop();
 */
export async function startNode(options: NodeOptions = {}): Promise<Node> {
  const limits = checkOptions(options);
  const name = options.name === undefined ? undefined : parseNodeName(options.name);
  const node = new Node({
    names: new LocalNames(),
    ...(options.logger === undefined ? {} : { logger: options.logger }),
    ...(options.clock === undefined ? {} : { clock: options.clock }),
    introspection: options.introspection ?? true,
    keepAlive: name === undefined, // a named node keeps the process alive by listening
  });
  if (name === undefined) {
    warnOfUnused(options, node);
    return node;
  }
  let cluster: Cluster | undefined;
  try {
    cluster = new Cluster({
      native: loadNative(),
      name,
      open: openOptions(name, options, limits),
      runtime: node,
      limits,
      autoConnect: options.autoConnect ?? 'use',
      mesh: options.mesh ?? 'full',
    });
    if (options.discovery !== undefined) await cluster.follow(options.discovery);
    node.join(cluster);
    return node;
  } catch (error) {
    await cluster?.close();
    await node.stop();
    throw coded(error);
  }
}

/**
 * {@link startNode} with options from environment variables: `SNOWMESH_NAME`, `SNOWMESH_COOKIE` or `SNOWMESH_COOKIE_FILE`,
 * `SNOWMESH_LISTEN`, `SNOWMESH_DISCOVERY` and the others of docs/operate.md. An option that is given overrides its variable.
 *
 * @throws as {@link startNode}; SNOW_ERR_BAD_OPTION also for an unknown variable that begins with SNOWMESH_.
 * @example
 * const node = await startNode.fromEnv();
 */
startNode.fromEnv = async (options: NodeOptions = {}): Promise<Node> =>
  startNode(optionsFrom(process.env, options));

function openOptions(name: NodeName, options: NodeOptions, limits: Limits): OpenOptions {
  const open: OpenOptions = {
    name: name.full,
    listenHost: options.listen?.host ?? listenHost(name.host),
    listenPort: options.listen?.port ?? name.port,
    cookie: resolveCookie(options.cookie, options.cookieFile),
    maxMessage: limits.maxMessage,
    // Above this the native core ends the session. User messages are refused long before.
    outboxBytes: limits.limit + limits.maxMessage + SYSTEM_MARGIN,
  };
  for (const key of [
    'hidden',
    'tickMs',
    'downMs',
    'handshakeMs',
    'maxHandshakes',
    'inboxBytes',
    'reader',
    'spinUs',
  ] as const) {
    if (options[key] !== undefined) Object.assign(open, { [key]: options[key] });
  }
  return open;
}

/** An address is bound as it is. A host name may belong to any interface. */
function listenHost(host: string): string {
  if (host === 'localhost') return '127.0.0.1';
  return host.includes(':') || /^\d+(?:\.\d+){3}$/.test(host) ? host : '0.0.0.0';
}

/** Options without effect on a node without a name. */
const FOR_CLUSTERS = ['cookie', 'cookieFile', 'discovery', 'listen'] as const;

/** Logs a warning: without it, a forgotten name looks like a node that finds no other. */
function warnOfUnused(options: NodeOptions, { logger }: Node): void {
  const unused = FOR_CLUSTERS.filter((option) => options[option] !== undefined);
  if (unused.length === 0) return;
  logger.warn(
    { event: 'no_name', unused },
    'the node has no name, so it joins no cluster: pass `name` to startNode',
  );
}

/** Makes a SnowmeshError of an error of the native core, which has the code of one. */
function coded(error: unknown): unknown {
  if (error instanceof SnowmeshError || !(error instanceof Error)) return error;
  const { code } = error as { code?: unknown };
  if (typeof code !== 'string' || !code.startsWith('SNOW_ERR_')) return error;
  const remedy = code === 'SNOW_ERR_LISTEN' ? listenRemedy(error.message) : '';
  const what = code === 'SNOW_ERR_NATIVE_FAULT' ? 'the native core cannot start: ' : '';
  return new SnowmeshError(code as SnowmeshError['code'], what + error.message + remedy);
}

/** What to do when an address cannot be listened on. The numbers are those of Windows, whose text may be in any language. */
function listenRemedy(text: string): string {
  if (/in use|10048/.test(text))
    return '. End the process that uses it, or take another port; port 0 takes any free one';
  if (/assign requested|10049/.test(text))
    return '. This machine has no such address: name one that it has in `listen`, such as 0.0.0.0 for all';
  return '';
}
