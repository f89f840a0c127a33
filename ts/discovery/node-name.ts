// Node names: `name@host`, `name@host:port`, `name@[ipv6]:port`. A name is both an identity (compared as bytes, proved in the
// handshake) and an address, so it has one canonical form, which always includes the port.
import { isIPv4, isIPv6 } from 'node:net';
import { givenText, SnowmeshError } from '../errors/index.ts';
import { MAX_NODE_NAME_BYTES } from '../wire/index.ts';

/** The port of a name without one. */
export const DEFAULT_PORT = 9000;

/** The parts of a name. */
export interface NodeName {
  /** The canonical form, with the port. */
  readonly full: string;
  /** The part before the `@`. */
  readonly local: string;
  /** Host name or address, without brackets. */
  readonly host: string;
  /** 0 only for a node that has not listened yet. */
  readonly port: number;
}

/**
 * Parses a node name.
 *
 * @param text `name@host`, `name@host:port`, IPv6 literals in brackets.
 * @returns its parts and its canonical form.
 * @throws SNOW_ERR_NODE_NAME with the rule that it breaks.
 */
export function parseNodeName(text: unknown): NodeName {
  if (typeof text !== 'string') throw refused(givenText(text), 'it is not a string');
  const length = Buffer.byteLength(text);
  if (length > MAX_NODE_NAME_BYTES)
    throw refused(
      `${text.slice(0, 40)}…`,
      `it has ${length} bytes, at most ${MAX_NODE_NAME_BYTES} are allowed`,
    );
  if (!text.isWellFormed()) throw refused(text.toWellFormed(), 'it is not valid Unicode');
  if (/[\s\p{Cc}]/u.test(text))
    throw refused(JSON.stringify(text).slice(1, -1), 'it contains white space or a control character');
  const [local = '', address, ...more] = text.split('@');
  if (address === undefined) throw refused(text, 'it has no @: a name is name@host or name@host:port');
  if (more.length > 0) throw refused(text, 'it has more than one @');
  if (local === '') throw refused(text, 'it has no name before the @');
  if (/[:[\]]/.test(local)) throw refused(text, 'the part before the @ contains one of : [ ]');
  const { host, port } = parseAddress(text, address);
  return { full: fullName(local, host, port), local, host, port };
}

/** A node name from its parts: an IPv6 address gets brackets. Without a port it is that of any node at its default port. */
export function fullName(local: string, host: string, port?: number): string {
  const shown = host.includes(':') ? `[${host}]` : host;
  return port === undefined ? `${local}@${shown}` : `${local}@${shown}:${port}`;
}

function parseAddress(text: string, address: string): { host: string; port: number } {
  const parts = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(.*))?$/.exec(address);
  if (parts === null)
    throw refused(text, 'its address is not host, host:port or [ipv6]:port (IPv6 needs brackets)');
  const [, ipv6, plain = '', digits] = parts;
  const host = ipv6 ?? plain;
  if (host === '') throw refused(text, 'it has no host after the @');
  if (ipv6 !== undefined && !isAddress6(ipv6))
    throw refused(text, `[${ipv6}] is not an IPv6 address (without a zone)`);
  if (ipv6 === undefined && !isHost(plain))
    throw refused(text, `${JSON.stringify(plain)} is neither a host name nor an IPv4 address`);
  return { host, port: digits === undefined ? DEFAULT_PORT : parsePort(text, digits) };
}

/** A zone (`%eth0`) means something on one machine only. */
const isAddress6 = (text: string): boolean => isIPv6(text) && !text.includes('%');

/** The rules of the native core, which dials no other host: letters, digits, hyphens inside, and the underscore of container networks. */
function isHost(text: string): boolean {
  if (/^[\d.]+$/.test(text)) return isIPv4(text);
  return text.length <= 253 && text.split('.').every((label) => /^(?!-)[a-z\d_-]{1,63}(?<!-)$/i.test(label));
}

function parsePort(text: string, digits: string): number {
  if (!/^(?:0|[1-9]\d{0,4})$/.test(digits) || Number(digits) > 65_535) {
    throw refused(text, `"${digits}" is not a port (0 to 65535)`);
  }
  return Number(digits);
}

function refused(shown: string, why: string): SnowmeshError {
  return new SnowmeshError('SNOW_ERR_NODE_NAME', `"${shown}" is not a node name: ${why}`);
}
