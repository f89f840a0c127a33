// node:tls 1.3 with msgpackr (shared records) and batching by hand, as one would write it without a library.
// The messages, the window of unacknowledged messages and the acknowledgements are those of our own bench.
import { fork } from 'node:child_process';
import tls from 'node:tls';
import { Packr } from 'msgpackr';
import { FrameWriter, frameReader } from './frames.mjs';
import { payloadOf, windowOf } from './payload.mjs';

/** A message channel over a socket. Both sides' Packr learn the same structures in the same order. */
export function attach(socket, onMessage) {
  socket.setNoDelay(true);
  const writer = new FrameWriter(socket);
  const packr = new Packr({ sequential: true }),
    unpackr = new Packr({ sequential: true });
  socket.on(
    'data',
    frameReader((buffer, start, end) => onMessage(unpackr.unpack(buffer.subarray(start, end)))),
  );
  return (message) => writer.write(packr.pack(message));
}

export async function open(what) {
  const child = fork(new URL('./receiver.mjs', import.meta.url), { execArgv: [] });
  process.once('exit', () => child.kill('SIGKILL'));
  const { port } = await new Promise((up) => child.once('message', up));
  const socket = tls.connect({
    port,
    host: '127.0.0.1',
    rejectUnauthorized: false,
    minVersion: 'TLSv1.3',
    ciphers: 'TLS_AES_128_GCM_SHA256',
  });
  await new Promise((connected) => socket.once('secureConnect', connected));
  let onReply = () => {};
  const send = attach(socket, (message) => onReply(message));
  const otherCpu = () =>
    new Promise((told) => {
      child.once('message', ({ cpu }) => told(cpu));
      child.send('cpu');
    });
  const next = () =>
    new Promise((resolve) => {
      onReply = resolve;
    });

  const { message, bytes } = payloadOf(what);
  const window = windowOf(bytes),
    step = window / 4;
  return {
    bytes,
    step,
    otherCpu,
    async oneWay(n) {
      let acked = 0,
        wake = () => {};
      onReply = ([, count]) => {
        acked = count;
        wake();
      };
      send(['start', step]);
      for (let i = 0; i < n; i++) {
        while (i - acked >= window)
          await new Promise((r) => {
            wake = r;
          });
        send(message(i));
      }
      while (acked < n)
        await new Promise((r) => {
          wake = r;
        });
    },
    async trips(n) {
      send(['echo']);
      const samples = new Float64Array(n);
      for (let i = 0; i < n; i++) {
        const t = performance.now();
        send(message(i));
        await next();
        samples[i] = (performance.now() - t) * 1000;
      }
      return samples;
    },
  };
}
