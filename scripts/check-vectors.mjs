// Fails if test/vectors differs from the output of the generator in native/core/examples/vectors.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from './setup.mjs';

const fresh = mkdtempSync(join(tmpdir(), 'snowmesh-vectors-'));
process.on('exit', () => rmSync(fresh, { recursive: true, force: true }));

const manifest = join(root, 'native/Cargo.toml');
const args = [
  'run',
  '--quiet',
  '--locked',
  '--manifest-path',
  manifest,
  '-p',
  'snowmesh-core',
  '--example',
  'vectors',
];
const { status } = spawnSync('cargo', [...args, '--', fresh], { stdio: ['ignore', 'inherit', 'inherit'] });
if (status !== 0) process.exit(1);

const differing = readdirSync(fresh).filter(
  (file) =>
    readFileSync(join(fresh, file), 'utf8') !== readFileSync(join(root, 'test/vectors', file), 'utf8'),
);
if (differing.length > 0) {
  console.error(
    `test/vectors differs from its generator: ${differing.join(', ')}. test/vectors/README.md says how it is written.`,
  );
  process.exitCode = 1;
}
