import type { SupervisionTree, TreeNode } from '../introspect/index.ts';
import { ASKING_OPTIONS, type Asked, asking, jsonOf, pidOf, pidText } from './asking.ts';
import { type Command, EXIT, UsageError } from './command.ts';
import { printable } from './text.ts';

/** `snowmesh tree`: supervisors with their children. */
export const treeCommand: Command = {
  name: 'tree',
  summary: 'show the supervision trees of a node',
  examples: ['snowmesh tree --node shop@10.0.0.1:9000 --cookie-file ./cookie'],
  options: {
    ...ASKING_OPTIONS,
    root: { value: 'pid', summary: 'show only the tree of this supervisor, <0.17> or 17' },
    limit: { value: 'n', summary: 'the most entries to show, from 1 to 1000. Default: 500' },
  },
  async run(given, terminal) {
    const limit = given.whole('limit', 500, 1, 1000);
    const root = given.text('root');
    return asking(given, terminal, async (asked) => {
      const pid = root === undefined ? undefined : await pidOf(asked, root);
      if (root !== undefined && pid === undefined)
        throw new UsageError(`--root ${root}: this is not a PID of ${asked.name}`);
      const tree = await asked.view.tree({ limit, ...(pid === undefined ? {} : { root: pid }) });
      if (pid !== undefined && tree.roots.length === 0)
        throw new Error(`${asked.name} has no supervisor ${root}`);
      terminal.out(given.flag('json') ? jsonOf(asked, tree) : treeText(asked, tree));
      return EXIT.DONE;
    });
  },
};

function treeText(asked: Asked, { roots, omitted }: SupervisionTree): string {
  if (roots.length === 0) return `${asked.name} has no supervisors\n`;
  const lines = roots.flatMap((root) => [entryText(asked, root), ...below(asked, root, '')]);
  if (omitted > 0) lines.push(`… ${omitted} more`);
  return lines.map((line) => `${line}\n`).join('');
}

function below(asked: Asked, { children, omitted }: TreeNode, indent: string): string[] {
  return [
    ...children.flatMap((child, at) => {
      const isLast = at === children.length - 1 && omitted === 0;
      return [
        `${indent}${isLast ? '└─ ' : '├─ '}${entryText(asked, child)}`,
        ...below(asked, child, `${indent}${isLast ? '   ' : '│  '}`),
      ];
    }),
    ...(omitted === 0 ? [] : [`${indent}└─ … ${omitted} more`]),
  ];
}

function entryText(asked: Asked, entry: TreeNode): string {
  const { id, pid, label, type, restart, restarts, state, node, mailbox } = entry;
  const parts = [printable(id)];
  if (pid !== undefined) parts.push(pidText(asked, pid));
  if (label !== undefined && label !== id) parts.push(printable(label));
  if (type === 'supervisor' && restart !== undefined) parts.push('supervisor');
  if (restart !== undefined && restart !== 'permanent') parts.push(restart);
  if (state !== 'running') parts.push(state.toUpperCase());
  if (restarts) parts.push(restarts === 1 ? '1 restart' : `${restarts} restarts`);
  if (node !== undefined) parts.push(`on ${node}`);
  if (mailbox > 0) parts.push(`${mailbox} waiting`);
  return parts.join('  ');
}
