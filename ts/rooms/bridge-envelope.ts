// The format of messages over a bridge: the length of the head, the head as JSON, the payload. Any program that reaches the broker can publish
// anything, so `readEnvelope` returns an envelope whose parts all have the right type and size, or undefined.
import { MAX_SEQUENCE } from './limits.ts';
import { isExcept } from './messages.ts';
import { type Content, type Except, isContent, isOrigin, Kind } from './room-message.ts';

const VERSION = 1;
const LENGTH_BYTES = 4;
/** Longest head: it has up to 64 exceptions, each an id or a key. Unit: bytes. */
const MAX_HEAD_BYTES = 64 * 1024;
const MAX_CLUSTER_CHARS = 64;

export interface BridgeEnvelope {
  /** The cluster of the node that published it. */
  readonly cluster: string;
  readonly origin: string;
  readonly sequence: number;
  /** Sequence of the message that the origin published before it in the room; 0: none. */
  readonly previous: number;
  /** Undefined: this is no message, but says that `sequence` was the origin's last one in the room. */
  readonly content: Content | undefined;
  readonly except: Except;
}

export function writeEnvelope({
  cluster,
  origin,
  sequence,
  previous,
  content,
  except,
}: BridgeEnvelope): Buffer {
  const head = Buffer.from(
    JSON.stringify([VERSION, cluster, origin, sequence, previous, content?.kind ?? null, except]),
  );
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32BE(head.length);
  return Buffer.concat([length, head, content?.payload ?? Buffer.alloc(0)]);
}

export function readEnvelope(bytes: Uint8Array): BridgeEnvelope | undefined {
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
  // A copy: the bytes may be a part of a much larger buffer of the broker's client.
  const content = { kind: kind as Kind, payload: Uint8Array.from(buffer.subarray(end)) };
  return isContent(content) ? { ...base, content } : undefined;
}

/** Whether a value is a valid name of a cluster. */
export function isClusterName(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= MAX_CLUSTER_CHARS;
}

function isNumber(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= MAX_SEQUENCE;
}
