// Counts the objects of this process's heap, for tests that nothing is left behind.
import { getHeapSnapshot } from 'node:v8';

/** How many objects of each class there are, and how many bytes the tables behind maps and arrays have. */
export async function heapObjects(): Promise<Map<string, number>> {
  const text: string[] = [];
  for await (const part of getHeapSnapshot()) text.push(String(part));
  const { snapshot, nodes, strings } = JSON.parse(text.join('')) as {
    snapshot: { meta: { node_fields: string[]; node_types: [string[]] } };
    nodes: number[];
    strings: string[];
  };
  const fields = snapshot.meta.node_fields;
  const [types] = snapshot.meta.node_types;
  const [type, name, size] = ['type', 'name', 'self_size'].map((field) => fields.indexOf(field));
  const counts = new Map<string, number>();
  const add = (key: string, more: number) => counts.set(key, (counts.get(key) ?? 0) + more);
  for (let at = 0; at < nodes.length; at += fields.length) {
    const kind = types[nodes[at + (type as number)] as number] ?? '';
    if (kind === 'array') add('bytes of tables', nodes[at + (size as number)] as number);
    else if (kind === 'object' || kind === 'closure')
      add(`${kind} ${strings[nodes[at + (name as number)] as number]}`, 1);
    else if (kind === 'string' || kind === 'number' || kind === 'bigint') add(kind, 1);
  }
  return counts;
}

/** What there is more of than `before`. */
export async function grownSince(before: ReadonlyMap<string, number>): Promise<Record<string, number>> {
  const grown: Record<string, number> = {};
  for (const [what, now] of await heapObjects()) {
    const more = now - (before.get(what) ?? 0);
    if (more > 0) grown[what] = more;
  }
  return grown;
}
