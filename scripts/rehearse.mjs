// npm run rehearse [-- snowmesh-1.0.0.tgz]: runs the first steps as on a machine that has only Node.js: with an empty environment, an
// empty home folder and no caches. Packs the package, or takes the given tarball, installs it into an empty folder and runs the programs
// of the README and the tour that it contains. Prints how long each step took, how large the installation is, and what importing it costs.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { run, runMain, SetupError } from './setup.mjs';

const EXAMPLE = /^<!-- (?:example|module) ([\w-]+): ([\w.-]+) -->\n+```[^\n]*\n([\s\S]*?)^```$/gm;
/** The documents whose programs are run, in the package. */
const DOCUMENTS = ['README.md', 'docs/tour.md'];
const COST = `const before = process.memoryUsage().rss;
const cpu = process.cpuUsage();
await import('snowmesh');
const { user, system } = process.cpuUsage(cpu);
console.log(((user + system) / 1000).toFixed(0), ((process.memoryUsage().rss - before) / 1e6).toFixed(1));`;

const work = mkdtempSync(join(tmpdir(), 'snowmesh-rehearsal-'));
const app = join(work, 'app');
const home = join(work, 'home');
for (const folder of [app, home]) mkdirSync(folder);
// Only one variable is passed on: that of npm for another registry than the public one.
const { npm_config_registry: registry } = process.env;
const env = {
  HOME: home,
  PATH: [dirname(process.execPath), '/usr/bin', '/bin'].join(delimiter),
  ...(registry === undefined ? {} : { npm_config_registry: registry }),
};
process.on('exit', () => rmSync(work, { recursive: true, force: true }));

await runMain(async () => {
  const tarball = process.argv[2] === undefined ? pack() : resolve(process.argv[2]);
  console.log(`tarball: ${megabytes(statSync(tarball).size)}`);
  step('npm install', 'npm', ['install', '--no-audit', '--no-fund', '--silent', tarball]);
  const files = readdirSync(join(app, 'node_modules'), { recursive: true, withFileTypes: true }).filter(
    (entry) => entry.isFile(),
  );
  const bytes = files.reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0);
  console.log(`installed: ${megabytes(bytes)} in ${files.length} files`);
  writeFileSync(join(app, 'cost.mjs'), COST);
  const [cpu, memory] = step('import', process.execPath, ['cost.mjs']).trim().split(' ');
  console.log(`importing it: ${cpu} ms of CPU, ${memory} MB`);
  for (const document of DOCUMENTS)
    for (const [name, programs] of examples(document)) await runExample(`${document}: ${name}`, programs);
});

function pack() {
  const quiet = { stdio: ['ignore', 'ignore', 2], env: { ...process.env, SNOWMESH_PACK: 'local' } };
  const status = run('npm', ['pack', '--silent', '--pack-destination', work], {
    ...quiet,
    shell: process.platform === 'win32',
  });
  if (status !== 0) throw new SetupError('npm pack failed.');
  return join(
    work,
    readdirSync(work).find((name) => name.endsWith('.tgz')),
  );
}

/** The programs of a document of the installed package, by example. */
function examples(document) {
  const found = new Map();
  const markdown = readFileSync(join(app, 'node_modules/snowmesh', document), 'utf8');
  for (const [, name, file, text] of markdown.matchAll(EXAMPLE)) {
    writeFileSync(join(app, file), text);
    found.set(name, [...(found.get(name) ?? []), file]);
  }
  return found;
}

/** All programs but the last serve; the last is what the example is about. */
async function runExample(name, programs) {
  const servers = [];
  for (const file of programs.slice(0, -1)) {
    const server = spawn(process.execPath, [file], { cwd: app, env, stdio: ['ignore', 'pipe', 'inherit'] });
    servers.push(server);
    await once(server.stdout, 'data');
  }
  const output = step(name, process.execPath, [programs.at(-1)]);
  console.log(output.trimEnd().replace(/^/gm, '    '));
  for (const server of servers) server.kill();
}

function step(name, program, args) {
  const begun = performance.now();
  const { status, stdout, stderr } = spawnSync(program, args, { cwd: app, env, encoding: 'utf8' });
  if (status !== 0) throw new SetupError(`${name} failed:\n${stdout}${stderr}`);
  console.log(`${name}: ${(performance.now() - begun).toFixed(0)} ms`);
  return stdout;
}

function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(2)} MB`;
}
