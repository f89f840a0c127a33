// Which of our processes dialled: connections are encrypted, so a proxy cannot read that. Linux only, as it reads /proc.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** The process of those given that has an IPv4 TCP socket with this local port; undefined: none of them. */
export function ownerOfPort(port: number, processes: readonly number[]): number | undefined {
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const sockets = readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[1]?.endsWith(local))
    .map((fields) => `socket:[${fields[9]}]`);
  return processes.find((pid) => openFilesOf(pid).some((file) => sockets.includes(file)));
}

function openFilesOf(pid: number): string[] {
  const folder = `/proc/${pid}/fd`;
  return orElse([], () => readdirSync(folder)).map((file) =>
    orElse('', () => readlinkSync(`${folder}/${file}`)),
  );
}

/** What is gone meanwhile is no error. */
function orElse<T>(missing: T, read: () => T): T {
  try {
    return read();
  } catch {
    return missing;
  }
}
