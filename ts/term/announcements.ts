// The frames that announce a node number or an object shape, before the first frame that uses it.
import { SnowmeshError } from '../errors/index.ts';
import { FrameTag, KeptTag } from '../wire/index.ts';
import { type ByteWriter, writeU32 } from './byte-writer.ts';

/** Announces the node of a node number. */
export function writeNodeFrame(writer: ByteWriter, nc: number, name: string, incarnation: bigint): void {
  const start = open(writer, KeptTag.SLOT);
  writer.u16(nc >>> 8);
  writer.u8(nc & 0xff);
  writer.u64(incarnation);
  writer.name(name);
  close(writer, start);
}

/** Announces the keys of an object shape. Returns the length of the frame in bytes. */
export function writeShapeFrame(writer: ByteWriter, id: number, keys: readonly string[]): number {
  const start = open(writer, FrameTag.SHAPE);
  writer.u16(id);
  writer.u16(keys.length);
  for (const key of keys) writer.name(key);
  close(writer, start);
  return writer.at - start;
}

/** For a message with more new node numbers than can be announced. The announcements made so far stay, so a second or third try may succeed. */
export function tooManyNodes(): SnowmeshError {
  return new SnowmeshError(
    'SNOW_ERR_TOO_LARGE',
    'A message has PIDs of too many nodes that are new to its receiver: split it.',
  );
}

function open(writer: ByteWriter, tag: number): number {
  const start = writer.at;
  writer.u32(0);
  writer.u8(tag);
  return start;
}

function close(writer: ByteWriter, start: number): void {
  writeU32(writer.buffer, start, writer.at - start - 4);
}
