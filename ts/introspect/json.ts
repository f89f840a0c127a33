// The answers of introspection as JSON. A PID is written as its own node prints it: the numbers of another node have no meaning there.
import type { Runtime } from '../actor/index.ts';
import { Pid } from '../term/index.ts';

/** A PID as the node `home` prints it; the PID of another node with that node's name. */
export function pidText(runtime: Runtime, home: string, pid: Pid): string {
  const node = runtime.nodeOf(pid);
  return node === home || pid.local === 0 ? `<0.${pid.local}>` : `<0.${pid.local}> at ${node}`;
}

/** JSON on one line, with PIDs as {@link pidText} writes them. */
export function jsonOf(runtime: Runtime, home: string, value: unknown): string {
  return JSON.stringify(value, function (this: Record<string, unknown>, key, shown: unknown) {
    const raw = this[key];
    return raw instanceof Pid ? pidText(runtime, home, raw) : shown;
  });
}
