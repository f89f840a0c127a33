// Where the memory of messages comes from, on Linux with glibc.

let isKept = process.platform !== 'linux' || typeof MessageChannel === 'undefined';

/**
 * Has glibc keep freed memory while messages come. It gives what is free at the end of its heap back to the system from 128 KiB on, so
 * the bytes of each message lay in pages that the system had to clear: a third of what a message of 64 KiB cost its receiver. When a
 * large block is freed, glibc keeps up to twice its size from then on. No page of this one is ever touched, and the message that
 * carries it is freed, unlike a variable, as soon as its port is closed. The native core gives memory back when traffic has stopped.
 */
export function keepFreedMemory(): void {
  if (isKept) return;
  isKept = true;
  const { port1, port2 } = new MessageChannel();
  const block = new ArrayBuffer(32 * 1024 * 1024 - 64 * 1024); // glibc heeds none above 32 MiB
  port1.postMessage(block, [block]);
  port1.close();
  port2.close();
}
