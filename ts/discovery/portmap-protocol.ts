// What a port mapper and its clients say to each other: one JSON object a line, each line at most 4 KiB.
//
//   {"op":"register","name":"a","port":9001,"incarnation":"…"}   {"ok":true}       as long as the connection is open
//   {"op":"lookup","name":"a"}                                   {"ok":true,"port":9001}   or "port":null
//   {"op":"list"}                                                {"name":"a","port":9001} a line, then {"ok":true}
//   anything refused                                             {"error":"taken"}
import { isLocalName, isPort } from './discovery.ts';

/** Where a port mapper listens unless told otherwise. */
export const PORTMAP_PORT = 4370;
/** Longest line, either way. Unit: bytes. */
export const MAX_LINE_BYTES = 4096;
/** A whole line must have come within this time, and an answer must have been taken. Unit: ms. */
export const LINE_MS = 5000;
/** Names one port mapper holds. */
export const MAX_NAMES = 1024;
/** Connections to one port mapper: one for each name, and as many for look-ups. */
export const MAX_CONNECTIONS = 2048;
/** Characters in an incarnation. */
const MAX_INCARNATION = 64;

/** Why a request was refused. */
export type Refusal = 'bad_request' | 'taken' | 'full' | 'not_local' | 'registered' | 'too_long';
const REFUSALS: readonly string[] = ['bad_request', 'taken', 'full', 'not_local', 'registered', 'too_long'];

/** A name and where its node listens. */
export interface PortmapEntry {
  readonly name: string;
  readonly port: number;
}

export interface Registering extends PortmapEntry {
  readonly op: 'register';
  /** Known to the node alone: with it a node may register again while its old connection still seems open. */
  readonly incarnation: string;
}

export type Request =
  | Registering
  | { readonly op: 'lookup'; readonly name: string }
  | { readonly op: 'list' };

/** A request out of a line, or undefined for anything else. Never throws. */
export function readRequest(line: string): Request | undefined {
  const { op, name, port, incarnation } = fieldsOf(line);
  if (op === 'list') return { op };
  if (!isLocalName(name)) return undefined;
  if (op === 'lookup') return { op, name };
  if (op !== 'register' || !isPort(port) || typeof incarnation !== 'string') return undefined;
  if (incarnation === '' || incarnation.length > MAX_INCARNATION) return undefined;
  return { op, name, port, incarnation };
}

/** A line of an answer: an entry, its end, a refusal; undefined for anything else. Never throws. */
export function readAnswer(
  line: string,
): { entry: PortmapEntry } | { port: number | undefined } | { refusal: Refusal } | undefined {
  const { ok, name, port, error } = fieldsOf(line);
  if (typeof error === 'string') return REFUSALS.includes(error) ? { refusal: error as Refusal } : undefined;
  if (ok === true)
    return port === undefined || port === null ? { port: undefined } : isPort(port) ? { port } : undefined;
  return isLocalName(name) && isPort(port) ? { entry: { name, port } } : undefined;
}

function fieldsOf(line: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** Cuts bytes into lines and never holds more than one line and the last chunk. */
export class LineCutter {
  #rest: Buffer = Buffer.alloc(0);

  push(chunk: Buffer): void {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
  }

  /** The next whole line, undefined when there is none yet, `too_long` when there never will be. */
  next(): { line: string } | 'too_long' | undefined {
    const end = this.#rest.indexOf(10);
    if (end > MAX_LINE_BYTES || (end < 0 && this.#rest.length > MAX_LINE_BYTES)) return 'too_long';
    if (end < 0) return undefined;
    const line = this.#rest.toString('utf8', 0, end);
    this.#rest = this.#rest.subarray(end + 1);
    return { line };
  }
}
