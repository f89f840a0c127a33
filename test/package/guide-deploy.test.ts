// Runs the service of docs/guides/deploy.md with the installed package, in the environment that the page's unit of systemd gives it, and
// compares its manifests of Kubernetes and its Dockerfile with what the program does.
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { optionsFrom } from '../../ts/node/index.ts';
import { type Child, killChildren, startChild } from '../support/child.ts';
import { until } from '../support/deadline.ts';
import { reservePort } from '../support/ports.ts';
import { programsOf, textOf } from '../unit/examples/guide-programs.ts';
import { COOKIE, MS, type Ports, reservePorts, startWatcher, type Watcher } from './guide-apps.ts';
import { type Installed, packAndInstall } from './installed.ts';

const markdown = textOf('deploy');
const program = programsOf('deploy').get('service') ?? '';
const fence = (language: string, start: string): string =>
  new RegExp(`\`\`\`${language}\\n(${start}[\\s\\S]*?)\`\`\``).exec(markdown)?.[1] ?? '';
const unit = fence('text', '\\[Service\\]');
/** The values of a setting of the unit. */
const settings = (name: string): string[] =>
  [...unit.matchAll(new RegExp(`^${name}=(.*)$`, 'gm'))].map(([, value = '']) => value);

let installed: Installed;
let ports: Ports;
let watcher: Watcher;
beforeAll(() => {
  installed = packAndInstall();
  mkdirSync(credentials());
  writeFileSync(join(credentials(), 'cookie'), COOKIE);
  chmodSync(join(credentials(), 'cookie'), 0o400); // as systemd does it
  // A way to block the event loop, until the file is there.
  const hook = `
    import { existsSync } from 'node:fs';
    process.on('SIGUSR2', () => {
      while (!existsSync('./go-on')) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    });
    console.log('up');`;
  writeFileSync(join(installed.folder, 'app.mjs'), `${program}\n${hook}\n`);
}, 300_000);
beforeEach(async () => {
  ports = await reservePorts();
});
afterEach(async () => {
  await watcher.node.stop();
  await killChildren();
});
afterAll(() => installed?.remove());

const credentials = (): string => join(installed.folder, 'credentials');

/** Starts the unit `shop@NUMBER`, with ports of this test. */
async function start(number: number): Promise<{ child: Child; health: number }> {
  const env: Record<string, string> = {};
  for (const setting of settings('Environment')) {
    const [name = '', value = ''] = setting.split('=');
    env[name] = value.replace('%i', String(number)).replace('%d', credentials());
  }
  expect(env['HEALTH_PORT']).toBe(`1808${number}`);
  const health = await reservePort();
  env['HEALTH_PORT'] = String(health);
  expect(env['SNOWMESH_DISCOVERY']).toBe('portmap+embed');
  env['SNOWMESH_DISCOVERY'] += `:127.0.0.1:${ports.portmap}`;
  const inherited = Object.keys(process.env).filter((name) => name.startsWith('SNOWMESH_'));
  const none = Object.fromEntries(inherited.map((name) => [name, undefined]));
  const [, , file = ''] = /^(\S+) (\S+)$/.exec(settings('ExecStart')[0] ?? '') ?? [];
  const child = startChild(join(installed.folder, file.split('/').at(-1) ?? ''), {
    cwd: installed.folder,
    env: { ...none, ...env, PREBUILDS_ONLY: '1' },
  });
  await child.line(/^up$/, MS);
  return { child, health };
}

async function startBoth(): Promise<{ child: Child; health: number }[]> {
  const both = [await start(1), await start(2)];
  watcher = await startWatcher(ports);
  await watcher.sees(/^up shop[12]$/, 2);
  return both;
}

/** The status of a probe, and whether it is there yet. */
function probe(
  port: number,
  path: string,
): { readonly answered: Promise<number>; readonly status: () => number | undefined } {
  let status: number | undefined;
  const answered = new Promise<number>((resolve, reject) => {
    request({ port, host: '127.0.0.1', path, agent: false }, (response) => {
      status = response.statusCode;
      response.resume();
      resolve(status ?? 0);
    })
      .once('error', reject)
      .end();
  });
  return { answered, status: () => status };
}

describe('the unit of systemd', () => {
  it('two of it find each other; SIGTERM ends one in order, and it comes back under its name', async () => {
    const [first, second] = (await startBoth()) as [{ child: Child }, { child: Child; health: number }];
    expect(settings('KillSignal')).toEqual([]); // so it is SIGTERM
    first.child.kill('SIGTERM');
    expect(await first.child.exit(MS)).toEqual({ code: 0, signal: null });
    await watcher.sees(/^down shop1 goodbye$/);
    await start(1);
    await watcher.sees(/^up shop1$/, 2);
    second.child.kill('SIGKILL');
    await watcher.sees(/^down shop2 closed$/);
    expect(settings('Restart')).toEqual(['always']);
    await start(2);
    await watcher.sees(/^up shop2$/, 2);
  });

  it('a blocked event loop: no probe is answered, the peers see it as stalled, and its session stays', async () => {
    const [{ child, health }] = (await startBoth()) as [{ child: Child; health: number }];
    for (const path of ['/livez', '/readyz']) expect(await probe(health, path).answered).toBe(200);
    const stalled: string[] = [];
    watcher.node.on('stalled', (name) => void stalled.push(name.replace(/@.*/, '')));
    const recovered: string[] = [];
    watcher.node.on('recovered', (name) => void recovered.push(name.replace(/@.*/, '')));
    child.kill('SIGUSR2');
    await until('it is seen as stalled', () => stalled.includes('shop1'), MS);
    const asked = probe(health, '/livez');
    expect(watcher.seen.filter((line) => line.startsWith('down'))).toEqual([]);
    expect(asked.status()).toBeUndefined();
    writeFileSync(join(installed.folder, 'go-on'), '');
    expect(await asked.answered).toBe(200);
    await until('it is well again', () => recovered.includes('shop1'), MS);
    expect(watcher.seen.filter((line) => line.startsWith('down'))).toEqual([]);
  });
});

interface Port {
  readonly name: string;
  readonly port: number;
}
interface HttpProbe {
  readonly httpGet: { readonly path: string; readonly port: number };
  readonly timeoutSeconds: number;
  readonly failureThreshold?: number;
  readonly periodSeconds?: number;
}
interface Container {
  readonly env: { readonly name: string; readonly value?: string; readonly valueFrom?: unknown }[];
  readonly livenessProbe: HttpProbe;
  readonly readinessProbe: HttpProbe;
  readonly volumeMounts: { readonly name: string; readonly mountPath: string }[];
}
interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly clusterIP: string;
    readonly publishNotReadyAddresses: boolean;
    readonly selector: object;
    readonly ports: Port[];
    readonly serviceName: string;
    readonly template: {
      readonly metadata: { readonly labels: object };
      readonly spec: {
        readonly terminationGracePeriodSeconds: number;
        readonly securityContext: { readonly runAsUser: number; readonly fsGroup: number };
        readonly containers: Container[];
        readonly volumes: { name: string; secret: { secretName: string; defaultMode: number } }[];
      };
    };
  };
}

describe('the manifests of Kubernetes', () => {
  // YAML 1.1, as kubectl reads it: 0440 is octal.
  const documents = parseAllDocuments(fence('yaml', 'apiVersion'), { version: '1.1' });
  const [service, set] = documents.map((each) => each.toJS() as Manifest) as [Manifest, Manifest];
  const pod = set.spec.template.spec;
  const [container] = pod.containers as [Container];
  const env = Object.fromEntries(container.env.map(({ name, value }) => [name, value]));
  const variables = (own: Record<string, string>): Record<string, string> =>
    Object.fromEntries(
      Object.entries(env)
        .filter(([name]) => name.startsWith('SNOWMESH_'))
        .map(([name, value = '']) => [
          name,
          value.replace(/\$\((\w+)\)/g, (_all, key: string) => own[key] ?? ''),
        ]),
    );

  it('are two documents without errors, whose names fit together', () => {
    expect(documents.flatMap(({ errors }) => errors)).toEqual([]);
    expect([service.kind, set.kind]).toEqual(['Service', 'StatefulSet']);
    expect([service.spec.clusterIP, service.spec.publishNotReadyAddresses]).toEqual(['None', true]); // headless
    expect(set.spec.serviceName).toBe(service.metadata.name);
    expect(set.spec.template.metadata.labels).toMatchObject(service.spec.selector);
    expect(container.volumeMounts.map(({ name }) => name)).toEqual(pod.volumes.map(({ name }) => name));
  });

  it('name the node as the service names its pod, and look for the port that the service has', () => {
    const [{ name, port } = { name: '', port: 0 }] = service.spec.ports;
    const domain = `${service.metadata.name}.default.svc.cluster.local`;
    const { SNOWMESH_NAME, SNOWMESH_LISTEN, SNOWMESH_DISCOVERY } = variables({ POD: 'shop-0' });
    expect(SNOWMESH_NAME).toBe(`shop@shop-0.${domain}:${port}`);
    expect(SNOWMESH_LISTEN).toBe(`0.0.0.0:${port}`);
    expect(SNOWMESH_DISCOVERY).toBe(`srv:shop@_${name}._tcp.${domain}`);
    expect(container.env[0]).toMatchObject({
      name: 'POD', // before the variable that uses it
      valueFrom: { fieldRef: { fieldPath: 'metadata.name' } },
    });
    expect(optionsFrom(variables({ POD: 'shop-0' }), {})).toMatchObject({ name: SNOWMESH_NAME });
  });

  it('mount the secret that the command makes where the node looks, and others may not read it', () => {
    const [{ secret } = { secret: { secretName: '', defaultMode: 0 } }] = pod.volumes;
    const command = /kubectl create secret generic (\S+) --from-file=(\w+)/.exec(markdown);
    expect(markdown).toContain(`npx snowmesh cookie ./${command?.[2]}`);
    expect(secret.secretName).toBe(command?.[1]);
    expect(env['SNOWMESH_COOKIE_FILE']).toBe(`${container.volumeMounts[0]?.mountPath}/${command?.[2]}`);
    expect(secret.defaultMode).toBe(0o440); // the node refuses a file that others can read
    expect(pod.securityContext.fsGroup).toBe(pod.securityContext.runAsUser);
  });

  it('ask the health server, and grant the time for a stop that the program may take', () => {
    const [, port] = /HEALTH_PORT \?\? (\d+)/.exec(program) ?? [];
    const [, timeout = ''] = /timeout: ([\d_]+)/.exec(program) ?? [];
    for (const { httpGet } of [container.livenessProbe, container.readinessProbe])
      expect(httpGet.port).toBe(Number(port));
    expect([container.livenessProbe.httpGet.path, container.readinessProbe.httpGet.path]).toEqual([
      '/livez',
      '/readyz',
    ]);
    const { failureThreshold = 3, periodSeconds = 10 } = container.livenessProbe; // the defaults of Kubernetes
    expect([failureThreshold, periodSeconds]).toEqual([6, 10]); // "after a minute (six failures, 10 s apart)"
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(Number(timeout.replace('_', '')) / 1000 + 5);
  });
});

describe('the Dockerfile', () => {
  const lines = fence('text', 'FROM').trim().split('\n');
  const command = (): unknown => JSON.parse(/^CMD (.*)$/m.exec(lines.join('\n'))?.[1] ?? '');

  it('starts Node.js without a shell, as a user that is not root', () => {
    expect(command()).toEqual(['node', 'app.mjs']); // .mjs: `npm init` of today makes packages of CommonJS
    expect(lines.indexOf('USER node')).toBeGreaterThan(
      lines.findIndex((line) => line.startsWith('COPY . .')),
    );
    expect(lines.filter((line) => /^(?:ENTRYPOINT|STOPSIGNAL)/.test(line))).toEqual([]); // so it is SIGTERM
  });
});
