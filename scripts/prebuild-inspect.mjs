// Reads from an addon's file what it needs to be loaded, since an addon for another system cannot be loaded here.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { GLIBC, MACOS, TOOLS } from './prebuild-toolchain.mjs';
import { root } from './setup.mjs';

/** The largest size of one system's addon. */
const LARGEST_MB = 2.5;

/** Libraries that every system of the kind has if Node.js runs there. */
const SYSTEM_LIBRARIES = {
  glibc: /^(lib(c|m|dl|rt|pthread)\.so\.\d|ld-linux-[-\w]+\.so\.\d|libgcc_s\.so\.1)$/,
  musl: /^libc\.so$/,
  darwin: /^\/usr\/lib\/lib(System\.B|iconv\.2|objc\.A)\.dylib$/,
  win32:
    /^(kernel32|ntdll|ws2_32|advapi32|bcrypt|bcryptprimitives|userenv|api-ms-win-[-\w]+|ucrtbase|msvcrt)\.dll$/i,
};

/**
 * The size of a target's addon, the oldest system that loads it, and the reasons not to publish it.
 *
 * @param {import('./prebuild-targets.mjs').Target} target
 * @param {string} [file] another file than the one in prebuilds/
 * @returns {{ megabytes: number, needs: string, libraries: string[], faults: string[] }}
 */
export function inspectPrebuild(target, file = join(root, target.path)) {
  const bytes = readFileSync(file);
  const read = { linux: readElf, darwin: readMachO, win32: readPortableExecutable }[target.platform];
  const { arch, needs, libraries, faults } = read(bytes);
  const allowed = SYSTEM_LIBRARIES[target.libc ?? target.platform];
  const foreign = libraries.filter((name) => !allowed.test(name));
  const megabytes = bytes.length / 1e6;
  const text = bytes.toString('latin1');
  const machine = [root.replace(/[\\/]$/, ''), homedir(), TOOLS].filter(existsSync);
  const folders = [...new Set([...machine, ...machine.map((folder) => realpathSync(folder))])].filter(
    (folder) => text.includes(folder),
  );
  if (arch !== target.arch) faults.push(`it is built for ${arch}`);
  if (target.libc !== undefined && !needs.startsWith(target.libc)) faults.push(`it needs ${needs}`);
  if (foreign.length > 0) faults.push(`it needs ${foreign.join(', ')}, which not every system has`);
  if (megabytes > LARGEST_MB) faults.push(`it is larger than ${LARGEST_MB} MB`);
  if (!text.includes('napi_register_module_v1')) faults.push('it is not a Node-API module');
  if (folders.length > 0)
    faults.push(`it names folders of the machine it was built on: ${folders.join(', ')}`);
  return { megabytes, needs, libraries, faults };
}

/** Takes the names from the string table for dynamic linking, the only one that is left in a stripped file. */
function readElf(bytes) {
  const text = bytes.toString('latin1');
  const names = new Set(text.match(/(?<=\0)(lib|ld-)[-\w.+]*\.so(\.\d+)?(?=\0)/g));
  const libraries = [...names].filter((name) => name !== 'libsnowmesh_addon.so'); // its own name
  const minors = [...text.matchAll(/(?<=\0)GLIBC_2\.(\d+)(\.\d+)?(?=\0)/g)].map(([, minor]) => Number(minor));
  const newest = Math.max(0, ...minors);
  const faults =
    newest > Number(GLIBC.split('.')[1])
      ? [`it needs glibc 2.${newest}; ${GLIBC} is the newest that all users have`]
      : [];
  const arch = { 0x3e: 'x64', 0xb7: 'arm64' }[bytes.readUInt16LE(18)];
  return { arch, needs: minors.length === 0 ? 'musl' : `glibc 2.${newest}`, libraries, faults };
}

function readPortableExecutable(bytes) {
  const header = bytes.readUInt32LE(0x3c);
  const arch = { 0x8664: 'x64', 0xaa64: 'arm64' }[bytes.readUInt16LE(header + 4)];
  const own = /^snowmesh_addon\.dll$/;
  const names = bytes.toString('latin1').match(/(?<=\0)[A-Za-z][-\w.]*\.dll(?=\0)/gi) ?? [];
  const libraries = [...new Set(names)].filter((name) => !own.test(name));
  return { arch, needs: 'Windows 10', libraries, faults: [] };
}

function readMachO(bytes) {
  const arch = { 0x01000007: 'x64', 0x0100000c: 'arm64' }[bytes.readUInt32LE(4)];
  const libraries = [];
  let needs = 'macOS';
  let signature;
  const commands = bytes.readUInt32LE(16);
  for (let index = 0, at = 32; index < commands; index += 1, at += bytes.readUInt32LE(at + 4)) {
    const command = bytes.readUInt32LE(at);
    if (command === LOAD_DYLIB) libraries.push(textAt(bytes, at + bytes.readUInt32LE(at + 8)));
    if (command === BUILD_VERSION) needs = `macOS ${version(bytes.readUInt32LE(at + 12))}`;
    if (command === VERSION_MIN) needs = `macOS ${version(bytes.readUInt32LE(at + 8))}`;
    if (command === CODE_SIGNATURE) signature = bytes.readUInt32LE(at + 8);
  }
  // On Apple silicon macOS ends a process that loads unsigned code; on Intel it does not check.
  const faults = [];
  if (signature === undefined ? arch === 'arm64' : !isSigned(bytes, signature))
    faults.push('its code signature is missing or does not fit its content');
  if (Number.parseFloat(needs.slice('macOS '.length)) > Number(MACOS))
    faults.push(`it needs ${needs}; ${MACOS} is promised`);
  return { arch, needs, libraries, faults };
}

const LOAD_DYLIB = 0xc;
const BUILD_VERSION = 0x32;
const VERSION_MIN = 0x24;
const CODE_SIGNATURE = 0x1d;
const CODE_DIRECTORY = 0xfade0c02;

const textAt = (bytes, at) => bytes.toString('latin1', at, bytes.indexOf(0, at));
const version = (word) => `${word >>> 16}.${(word >>> 8) & 255}`;

/** Whether the hashes of an ad-hoc signature are those of the file's pages. */
function isSigned(bytes, signature) {
  const count = bytes.readUInt32BE(signature + 8);
  const offsets = Array.from({ length: count }, (_, index) => bytes.readUInt32BE(signature + 16 + index * 8));
  const directory = offsets
    .map((offset) => signature + offset)
    .find((at) => bytes.readUInt32BE(at) === CODE_DIRECTORY);
  if (directory === undefined) return false;
  const hashes = directory + bytes.readUInt32BE(directory + 16);
  const pages = bytes.readUInt32BE(directory + 28);
  const end = bytes.readUInt32BE(directory + 32);
  const hashSize = bytes[directory + 36];
  const pageSize = 2 ** bytes[directory + 39];
  return Array.from({ length: pages }).every((_, page) => {
    const content = bytes.subarray(page * pageSize, Math.min((page + 1) * pageSize, end));
    const hash = createHash('sha256').update(content).digest();
    return hash.equals(bytes.subarray(hashes + page * hashSize, hashes + (page + 1) * hashSize));
  });
}
