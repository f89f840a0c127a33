// Fails if two places differ that must agree: bindings/native.d.ts and the Rust signatures it is generated from; the numbers of the
// protocol in Rust, in ts/wire/ and in docs/wire.md; the ABI stamp in Rust and in TypeScript; the error codes of the addon and the
// error table. With --write it updates bindings/native.d.ts.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { driftOfWire } from './generate-wire.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const declarations = join(root, 'bindings/native.d.ts');
const problems = [];

const read = (path) => (existsSync(join(root, path)) ? readFileSync(join(root, path), 'utf8') : '');

function generated() {
  const folder = mkdtempSync(join(tmpdir(), 'snowmesh-drift-'));
  try {
    const cli = join(root, 'node_modules/@napi-rs/cli/dist/cli.js');
    const paths = [
      '--manifest-path',
      'native/addon/Cargo.toml',
      '--output-dir',
      folder,
      '--dts',
      'native.d.ts',
    ];
    const header = [
      '--dts-header',
      '/* Generated from native/addon by scripts/check-drift.mjs --write. */\n',
    ];
    const args = [cli, 'build', ...paths, ...header, '--no-js', '--no-dts-cache', '--', '--locked'];
    execFileSync(process.execPath, args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
    return readFileSync(join(folder, 'native.d.ts'), 'utf8');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function checkDeclarations() {
  const wanted = generated();
  if (process.argv.includes('--write')) writeFileSync(declarations, wanted);
  else if (read('bindings/native.d.ts') !== wanted) {
    problems.push(
      'bindings/native.d.ts is not what the Rust signatures give: run scripts/check-drift.mjs --write',
    );
  }
}

function checkAbi() {
  const rust = /const ABI: u32 = (\d+);/.exec(read('native/addon/src/lib.rs'))?.[1];
  const typescript = /export const ABI = (\d+);/.exec(read('bindings/index.ts'))?.[1];
  if (rust === undefined || rust !== typescript) {
    problems.push(
      `the ABI stamp is ${rust} in native/addon/src/lib.rs and ${typescript} in bindings/index.ts`,
    );
  }
}

function checkErrorCodes() {
  const table = read('ts/errors/table.ts');
  const sources = read('native/addon/src/errors.rs') + read('bindings/load.ts');
  for (const code of new Set(sources.match(/SNOW_ERR_[A-Z_]+/g))) {
    if (!new RegExp(`\\b${code}\\b`).test(table)) problems.push(`${code} is not in ts/errors/table.ts`);
  }
}

checkDeclarations();
checkAbi();
checkErrorCodes();
problems.push(...driftOfWire());
for (const problem of problems) console.error(`drift: ${problem}`);
process.exitCode = problems.length === 0 ? 0 : 1;
