// A cluster part of a node on a native core that the test scripts, without the node around it.
import { Cluster } from '../../../ts/node/cluster.ts';
import { parseNodeName } from '../../../ts/node/node-name.ts';
import { startTestRuntime, type TestRuntime } from '../../../ts/testing/index.ts';
import { ScriptedNative } from './scripted-native.ts';

type Options = ConstructorParameters<typeof Cluster>[0];

export interface ScriptedCluster {
  readonly kit: TestRuntime;
  readonly native: ScriptedNative;
  readonly cluster: Cluster;
}

const LIMITS = { highWater: 2 ** 20, limit: 2 ** 20, waiting: 2 ** 20, maxMessage: 2 ** 24 };

/** Opens the cluster part of a node with that name; `more` replaces its other options. */
export function openScripted(full: string, more: Partial<Options> = {}): ScriptedCluster {
  const kit = startTestRuntime();
  const native = new ScriptedNative();
  const name = parseNodeName(full);
  const open = { name: name.full, listenHost: name.host, listenPort: name.port, cookie: 'x' };
  const { runtime } = kit;
  const cluster = new Cluster({ native, name, open, runtime, limits: LIMITS, autoConnect: 'use', ...more });
  return { kit, native, cluster };
}
