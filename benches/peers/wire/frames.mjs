// Length-prefixed frames over a stream socket, batched as a careful engineer would by hand.
const CHUNK = 64 * 1024;

/** Copies small bodies into one chunk that leaves when full or at the end of the tick. */
export class FrameWriter {
  constructor(socket) {
    this.socket = socket;
    this.chunk = Buffer.allocUnsafeSlow(CHUNK);
    this.length = 0;
    this.isScheduled = false;
  }
  write(body) {
    const size = body.length;
    if (size + 4 > CHUNK / 2) {
      this.flush();
      const head = Buffer.allocUnsafe(4);
      head.writeUInt32LE(size, 0);
      this.socket.cork();
      this.socket.write(head);
      this.socket.write(Buffer.from(body));
      this.socket.uncork();
      return;
    }
    if (this.length + size + 4 > CHUNK) this.flush();
    this.chunk.writeUInt32LE(size, this.length);
    this.chunk.set(body, this.length + 4);
    this.length += size + 4;
    if (!this.isScheduled) {
      this.isScheduled = true;
      process.nextTick(() => {
        this.isScheduled = false;
        this.flush();
      });
    }
  }
  flush() {
    if (this.length === 0) return;
    this.socket.write(this.chunk.subarray(0, this.length));
    this.chunk = Buffer.allocUnsafeSlow(CHUNK);
    this.length = 0;
  }
}

/** A 'data' handler that calls onFrame(buffer, start, end) for each whole frame; joins parts once, not per chunk. */
export function frameReader(onFrame) {
  let parts = [],
    have = 0,
    need = 4;
  return (chunk) => {
    if (have > 0) {
      parts.push(chunk);
      have += chunk.length;
      if (have < need) return;
      chunk = Buffer.concat(parts, have);
    }
    let at = 0;
    need = 4;
    while (chunk.length - at >= 4) {
      const size = chunk.readUInt32LE(at);
      if (chunk.length - at - 4 < size) {
        need = size + 4;
        break;
      }
      onFrame(chunk, at + 4, at + 4 + size);
      at += size + 4;
    }
    have = chunk.length - at;
    parts = have > 0 ? [chunk.subarray(at)] : [];
  };
}
