// What introspection shows, as JSON. PIDs mean something to the node that has them, so each is written as its own node prints it.
import type { Runtime } from '../actor/index.ts';
import { Pid } from '../term/index.ts';

/** A PID as the node `home` itself prints it; one of another node with the name of that. */
export function pidText(runtime: Runtime, home: string, pid: Pid): string {
  const node = runtime.nodeOf(pid);
  return node === home || pid.local === 0 ? `<0.${pid.local}>` : `<0.${pid.local}> at ${node}`;
}

/** JSON in one line; PIDs as {@link pidText} has them. */
export function jsonOf(runtime: Runtime, home: string, value: unknown): string {
  return JSON.stringify(value, function (this: Record<string, unknown>, key, shown: unknown) {
    const raw = this[key];
    return raw instanceof Pid ? pidText(runtime, home, raw) : shown;
  });
}
