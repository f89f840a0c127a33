// THIRD_PARTY_LICENSES: the licences of the crates that are linked into the prebuilt addons of all systems, and of the npm packages
// whose code the package contains. `node scripts/licenses.mjs` writes it from Cargo.lock, the files of the crates and node_modules;
// with --check it fails if the file is out of date.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { targets } from './prebuild-targets.mjs';
import { root, runMain, SetupError } from './setup.mjs';

const FILE = join(root, 'THIRD_PARTY_LICENSES');
/** Packages whose code the build copies into this package, with that of their dependencies, so that they are not its own. */
const COPIED = ['ansi-escapes', 'string-width', 'uplot'];
const HEAD = `The prebuilt addons, the observer page and the command of snowmesh contain the software named here, under these licences. Where its
authors offer a choice, snowmesh takes the MIT licence. Written by scripts/licenses.mjs.

Besides, the addons contain parts of
* the standard library of Rust (https://rust-lang.org), MIT OR Apache-2.0, Copyright (c) The Rust Project Contributors;
* compiler-rt and libunwind of LLVM (https://llvm.org), Apache-2.0 WITH LLVM-exception;
* in the addons for Windows, the start-up code of mingw-w64 (https://www.mingw-w64.org), in the public domain.
`;

await runMain(() => {
  const text = licenses();
  if (!process.argv.includes('--check')) writeFileSync(FILE, text);
  else if (readFileSync(FILE, 'utf8').replaceAll('\r\n', '\n') !== text)
    throw new SetupError('THIRD_PARTY_LICENSES is out of date: node scripts/licenses.mjs');
});

function licenses() {
  const byText = new Map();
  const add = (text, owner) => byText.set(text, [...(byText.get(text) ?? []), owner]);
  for (const [folder, { name, version, license }] of copiedPackages()) {
    const file = readdirSync(folder).find((each) => /^licen[cs]e/i.test(each));
    add(tidy(readFileSync(join(folder, file), 'utf8')), { name, version, license });
  }
  for (const crate of linkedCrates()) add(licenseTexts(crate).join('\n\n'), crate);
  const sections = [...byText].map(([text, crates]) => {
    const names = crates.map(({ name, version, license }) => `${name} ${version} (${license})`);
    return `${'-'.repeat(80)}\n${names.join('\n')}\n\n${text}\n`;
  });
  return [HEAD, ...sections].join('\n');
}

/** The manifests of the copied packages by folder, each after what depends on it. */
function copiedPackages() {
  const found = new Map();
  const visit = (name, above) => {
    const nested = join(above, 'node_modules', name);
    const folder = existsSync(nested) ? nested : join(root, 'node_modules', name);
    if (found.has(folder)) return;
    const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    found.set(folder, manifest);
    for (const each of Object.keys(manifest.dependencies ?? {})) visit(each, folder);
  };
  for (const name of COPIED) visit(name, root);
  return found;
}

/** The crates whose code is in an addon: not procedural macros. */
function linkedCrates() {
  const args = ['-p', 'snowmesh-addon', '-e', 'normal,no-proc-macro', '--prefix', 'none', '--format', '{p}'];
  const systems = targets.flatMap(({ triple }) => ['--target', triple]);
  const linked = new Set(cargo('tree', ...args, ...systems).match(/^[\w-]+ v\S+/gm));
  return JSON.parse(cargo('metadata', '--format-version', '1'))
    .packages.filter(({ name, version, source }) => source !== null && linked.has(`${name} v${version}`))
    .toSorted((x, y) => (x.name === y.name ? (x.version < y.version ? -1 : 1) : x.name < y.name ? -1 : 1));
}

function cargo(command, ...args) {
  const manifest = ['--manifest-path', join(root, 'native/Cargo.toml'), '--locked'];
  return execFileSync('cargo', [command, ...manifest, ...args], { encoding: 'utf8', maxBuffer: 2 ** 26 });
}

/** The licence texts that must accompany a crate: if it offers a choice the MIT licence, otherwise all of them. */
function licenseTexts({ name, license, authors, manifest_path: manifest }) {
  const folder = dirname(manifest);
  const files = readdirSync(folder)
    .filter((file) => /^(licen[cs]e|copying|notice)/i.test(file))
    .toSorted();
  const isChoice = /\bOR\b|\//.test(license);
  const mit = files.filter((file) => /mit/i.test(file));
  const chosen = isChoice && mit.length > 0 ? mit : files;
  const texts = chosen.map((file) => tidy(readFileSync(join(folder, file), 'utf8')));
  if (texts.some((text) => text.length > 500)) return texts;
  // Some crates name the licence in their manifest, but do not publish its text.
  if (/\bMIT\b/.test(license))
    return [...texts, mitText(authors.length > 0 ? authors.join(', ') : `the authors of ${name}`)];
  throw new SetupError(`${name} (${license}) has no licence file.`);
}

function tidy(text) {
  return text
    .replaceAll('\r\n', '\n')
    .replace(/[ \t]+$/gm, '')
    .trim();
}

function mitText(holders) {
  return tidy(readFileSync(join(root, 'LICENSE'), 'utf8')).replace(
    /^Copyright .*$/m,
    `Copyright (c) ${holders}`,
  );
}
