// What goes over a bridge: a head in JSON, its length before it, and the payload. Anybody who reaches the broker may write there:
// `readEnvelope` gives an envelope in which every part has its type and size, or undefined.
import { MAX_SEQUENCE } from './limits.ts';
import { isExcept } from './messages.ts';
import { type Content, type Except, isOrigin, Kind } from './room-message.ts';

const VERSION = 1;
const LENGTH_BYTES = 4;
/** Longest head: 64 exceptions of an id or a key each. Unit: bytes. */
const MAX_HEAD_BYTES = 64 * 1024;
const MAX_CLUSTER_CHARS = 64;

export interface Envelope {
  /** Of the node that published it. */
  readonly cluster: string;
  readonly origin: string;
  readonly sequence: number;
  /** The message of the origin that was published before it in the room; 0: none. */
  readonly previous: number;
  /** Undefined: no message, only that this was the origin's last one in the room. */
  readonly content: Content | undefined;
  readonly except: Except;
}

export function writeEnvelope({ cluster, origin, sequence, previous, content, except }: Envelope): Buffer {
  const head = Buffer.from(
    JSON.stringify([VERSION, cluster, origin, sequence, previous, content?.kind ?? null, except]),
  );
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32BE(head.length);
  return Buffer.concat([length, head, content?.payload ?? Buffer.alloc(0)]);
}

export function readEnvelope(bytes: Uint8Array): Envelope | undefined {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (buffer.length < LENGTH_BYTES) return undefined;
  const end = LENGTH_BYTES + buffer.readUInt32BE();
  if (end > buffer.length || end > MAX_HEAD_BYTES) return undefined;
  let head: unknown;
  try {
    head = JSON.parse(buffer.toString('utf8', LENGTH_BYTES, end));
  } catch {
    return undefined;
  }
  if (!Array.isArray(head) || head.length !== 7 || head[0] !== VERSION) return undefined;
  const [, cluster, origin, sequence, previous, kind, except] = head as unknown[];
  if (!isClusterName(cluster) || !isOrigin(origin) || !isExcept(except)) return undefined;
  if (!isNumber(sequence) || !isNumber(previous) || sequence === 0 || previous > sequence) return undefined;
  const base = { cluster, origin, sequence, previous, except: except as Except };
  if (kind === null) return { ...base, content: undefined };
  if (previous === sequence || !isNumber(kind) || kind > Kind.forgotten) return undefined;
  // A copy: what the broker's client gives may be a part of much more.
  return { ...base, content: { kind: kind as Kind, payload: Uint8Array.from(buffer.subarray(end)) } };
}

/** Whether a value can name a cluster. */
export function isClusterName(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= MAX_CLUSTER_CHARS;
}

function isNumber(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= MAX_SEQUENCE;
}
