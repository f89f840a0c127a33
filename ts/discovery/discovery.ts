// The port between a node and whatever knows which nodes there are.
import { badOption, type SnowmeshError } from '../errors/index.ts';
import { parseNodeName } from './node-name.ts';

/** Names that one look-up may find; more is taken for a mistake, and the look-up fails. */
export const MAX_FOUND = 4096;

/**
 * Says which nodes there are. A node takes one as its option `discovery`; anything of this shape will do.
 *
 * @example
 * const node = await startNode({ name: 'a@10.0.0.1', cookie, discovery: staticList(['b@10.0.0.2']) });
 */
export interface Discovery {
  /**
   * Begins to look. A look-up that fails is told to the listener and tried again; only misuse throws, and a name that
   * is taken.
   *
   * @param self the node that looks, which listens already: for a discovery that keeps a list of nodes itself. Absent when
   * it is not to be found, as a hidden node.
   */
  start(listener: DiscoveryListener, self?: DiscoveredNode): void | Promise<void>;
  /** Ends it: the listener is not called any more. Does nothing when it does not run. */
  stop(): void | Promise<void>;
}

/** A node that others may find. */
export interface DiscoveredNode {
  /** What stands before the `@` of its name. */
  readonly name: string;
  /** The host in its name, an IPv6 address without brackets. */
  readonly host: string;
  /** The port in its name. */
  readonly port: number;
}

/** Receives what a discovery finds. */
export interface DiscoveryListener {
  /** The whole set of node names that should be connected now: after the first look-up and after every change. */
  found(names: readonly string[]): void;
  /** A look-up failed and is tried again. What was found before still holds. */
  failed(error: SnowmeshError): void;
}

/** Whether it is a node name, with or without a port. White space of any kind counts as a typing error. */
export function isNodeName(text: unknown): boolean {
  if (typeof text !== 'string' || /[\s\p{Cc}]/u.test(text)) return false;
  try {
    parseNodeName(text);
    return true;
  } catch {
    return false;
  }
}

/** @throws SNOW_ERR_BAD_OPTION unless `holds`. */
export function demand(holds: boolean, option: string, value: unknown, wanted: string): void {
  if (!holds) throw badOption(option, value, wanted);
}

/** Whether it is a port one can connect to. */
export function isPort(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) > 0 && (value as number) <= 65_535;
}

/** Whether it can stand before the `@` of a node name. */
export function isLocalName(value: unknown): value is string {
  return typeof value === 'string' && isNodeName(`${value}@h`);
}
