// Finds the process that dialled: connections are encrypted, so a proxy cannot read that. Linux only, as it reads /proc.
import { readdir, readFile, readlink } from 'node:fs/promises';

/**
 * Whether one of these processes has an IPv4 TCP socket with this local port. Now and then the answer is false although one has:
 * the kernel's list of sockets is no snapshot.
 */
export async function isPortOf(processes: readonly number[], port: number): Promise<boolean> {
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const list = await readFile('/proc/net/tcp', 'utf8');
  const sockets = new Set<string>();
  for (const line of list.split('\n')) {
    const fields = line.trim().split(/\s+/);
    if (fields[1]?.endsWith(local)) sockets.add(`socket:[${fields[9]}]`);
  }
  const open = await Promise.all(processes.map(openFilesOf));
  return open.flat().some((file) => sockets.has(file));
}

async function openFilesOf(pid: number): Promise<string[]> {
  const folder = `/proc/${pid}/fd`;
  // What is gone meanwhile is no error.
  const files = await readdir(folder).catch(() => []);
  return Promise.all(files.map((file) => readlink(`${folder}/${file}`).catch(() => '')));
}
