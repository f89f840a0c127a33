// A process of a bench: it gets one order, sends one report, and ends when the channel closes.
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Starts the program `name`, a path from this folder. It ends when this process does, however that ends. */
export function forkMember(name: string): ChildProcess {
  const extension = import.meta.url.slice(import.meta.url.lastIndexOf('.'));
  const child = fork(fileURLToPath(new URL(`./${name}${extension}`, import.meta.url)));
  const kill = (): boolean => child.kill('SIGKILL');
  process.once('exit', kill);
  child.once('exit', () => process.off('exit', kill));
  return child;
}

/** Gives an order and waits for the report. Rejects when the process ends first. */
export function ask<Report>(member: ChildProcess, order: object): Promise<Report> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null): void => reject(new Error(`a bench's process ended (${code})`));
    member.once('exit', onExit);
    member.once('message', (report) => {
      member.off('exit', onExit);
      resolve(report as Report);
    });
    member.send(order);
  });
}

/** Lets processes end and waits until they have. */
export async function dismiss(
  members: readonly ChildProcess[],
  meanwhile: () => Promise<void>,
): Promise<void> {
  const gone = members.map((member) => new Promise((resolve) => member.once('exit', resolve)));
  for (const member of members) member.disconnect();
  await meanwhile();
  await Promise.all(gone);
}
