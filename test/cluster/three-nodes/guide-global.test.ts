// Runs the programs of docs/guides/global.md on three nodes, all of this process.
import { afterEach, beforeEach, expect, it } from 'vitest';
import * as snowmesh from '../../../ts/index.ts';
import { COOKIE } from '../../support/cluster.ts';
import { until } from '../../support/deadline.ts';
import { runGuide } from '../../unit/examples/guide-programs.ts';

let nodes: snowmesh.Node[];
beforeEach(async () => {
  nodes = await Promise.all(
    ['a', 'b', 'c'].map((name) => snowmesh.startNode({ name: `${name}@127.0.0.1:0`, cookie: COOKIE })),
  );
});
afterEach(() => Promise.all(nodes.map((node) => node.stop())));

/** Starts a program on each node, and connects the nodes when it waits for that. */
async function onAll<T extends { names: snowmesh.GlobalNames }>(
  program: string,
  around: Readonly<Record<string, unknown>>,
  declared: string,
): Promise<T[]> {
  const started = nodes.map((node) => {
    const startNode = { fromEnv: async () => Object.assign(node, { stopOnSignals: () => undefined }) };
    return runGuide<T>('global', [program], { ...around, startNode }, `names${declared}`);
  });
  const [first, ...others] = nodes;
  await Promise.all(others.map((node) => node.connect((first as snowmesh.Node).name)));
  const programs = await Promise.all(started);
  await Promise.all(nodes.map((node) => node.ready({ peers: 2 })));
  await Promise.all(programs.map(({ names }) => names.sync()));
  return programs;
}

interface Row {
  readonly id: string;
  readonly version: number;
  readonly text: string;
}
interface Documents {
  readonly names: snowmesh.GlobalNames;
  withDocument<R>(id: string, use: (document: snowmesh.Pid) => Promise<R>): Promise<R>;
}

async function documents(): Promise<{
  edit(at: number, id: string): Promise<number>;
  loads: string[];
  rows: Map<string, Row>;
  names: snowmesh.GlobalNames[];
}> {
  const rows = new Map<string, Row>();
  const loads: string[] = [];
  const store = {
    load: async (id: string) => {
      loads.push(id);
      const { version = 0, text = '' } = rows.get(id) ?? {};
      return { version, text };
    },
    save: async ({ id, version, text }: Row) => void rows.set(id, { id, version, text }),
  };
  const programs = await onAll<Documents>('documents', { store }, ', withDocument');
  const call = snowmesh.call as (...args: unknown[]) => Promise<number>;
  const edit = (at: number, id: string): Promise<number> =>
    (programs[at] as Documents).withDocument(id, (document) => call(nodes[at], document, 'edit', `${at}`));
  return { edit, loads, rows, names: programs.map(({ names }) => names) };
}

it('a document that three nodes open at once is started once', async () => {
  const { edit, loads } = await documents();
  const ids = Array.from({ length: 30 }, (_, number) => `${number}`);
  const versions = await Promise.all(ids.map((id) => Promise.all([0, 1, 2].map((at) => edit(at, id)))));
  for (const each of versions) expect(each.toSorted()).toEqual([1, 2, 3]);
  expect(loads.toSorted()).toEqual(ids.toSorted());
});

it('a document that closes, or whose node stops, is opened again with what was saved, and no call is lost', async () => {
  const { edit, rows, names } = await documents();
  let edits = 0;
  const editAll = async (ats: readonly number[]): Promise<void> => {
    await Promise.all(ats.map((at) => edit(at, 'x')));
    edits += ats.length;
  };
  await editAll([0, 1, 2]);
  for (let round = 0; round < 20; round++) {
    const pid = names[2]?.whereis('document:x') as snowmesh.Pid;
    await Promise.all([
      editAll([1, 2, 1, 2]),
      snowmesh.stop(nodes[2] as snowmesh.Node, pid),
      editAll([2, 1]),
    ]);
  }
  await editAll([0]);
  const [first] = nodes as [snowmesh.Node];
  await Promise.all([first.stop(), editAll([1, 2]), editAll([2, 1])]);
  await editAll([1]);
  await expect(edit(0, 'y')).rejects.toMatchObject({ state: 'noproc' });
  await Promise.all(nodes.map((node) => node.stop()));
  expect(rows.get('x')).toMatchObject({ version: edits });
});

it('one server works, and another one when its node has stopped or it has crashed', async () => {
  interface Reminders {
    readonly names: snowmesh.GlobalNames;
  }
  const programs = await onAll<Reminders>('standby', { sendReminders: async () => undefined }, '');
  const call = snowmesh.call as (...args: unknown[]) => Promise<unknown>;
  /** What each of some nodes is told of who works, once all of them know of another actor than these. */
  const workers = async (ats: readonly number[], before: readonly (snowmesh.Pid | undefined)[]) => {
    const pids = await Promise.all(
      ats.map((at) =>
        until('another server works', () => {
          const pid = programs[at]?.names.whereis<unknown>('reminders');
          return pid !== undefined && !(before[at]?.equals(pid) ?? false) && pid;
        }),
      ),
    );
    return Promise.all(pids.map((pid, index) => call(nodes[ats[index] as number], pid, 'whoWorks')));
  };
  const seen = () => programs.map(({ names }) => names.whereis<unknown>('reminders'));
  const [first = '', ...same] = (await workers([0, 1, 2], [])) as string[];
  expect(same).toEqual([first, first]);
  const owner = nodes.findIndex(({ name }) => name === first);
  const left = [0, 1, 2].filter((at) => at !== owner);
  const before = seen();
  await nodes[owner]?.stop();
  const second = await workers(left, before);
  expect(second[0]).toBe(second[1]);
  expect(left.map((at) => nodes[at]?.name)).toContain(second[0]);
  const during = seen();
  const [at = 0] = left;
  nodes[at]?.runtime.sendExit(during[at] as snowmesh.Pid, 'crash');
  const third = await workers(left, during);
  expect(third[0]).toBe(third[1]);
});
