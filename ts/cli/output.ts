// Standard output and standard error of the process: what reads them may end before the command does.
import type { EventEmitter } from 'node:events';

/** What {@link outputTo} needs of a stream. */
export interface Output extends Pick<EventEmitter, 'on'> {
  write(text: string): unknown;
}

/**
 * Makes a function that writes to a stream of the process. The stream is left alone until its first use: a program that `start` runs
 * handles the errors of its own output.
 *
 * @param closed is called when the other end of the pipe is closed (`| head`); what is written after that is dropped.
 * @param failed is called when the output fails otherwise: the disk is full.
 */
export function outputTo(
  stream: Output,
  closed: () => void,
  failed: (error: Error) => void,
): (text: string) => void {
  let isWatched = false;
  return (text) => {
    if (!isWatched)
      stream.on('error', (error: NodeJS.ErrnoException) =>
        error.code === 'EPIPE' || error.code === 'EOF' ? closed() : failed(error),
      );
    isWatched = true;
    stream.write(text);
  };
}
