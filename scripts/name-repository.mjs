// Writes the address of the repository into the package (release.yml runs this before it packs): `repository`, `homepage` and `bugs`
// of package.json, which npm compares with the provenance, and absolute links in the documents: in the README all of them, since it is
// also shown outside of the package, in the others those to files that the package does not have. Fails if a tag is not the version
// of package.json. The repository is given by GITHUB_SERVER_URL, GITHUB_REPOSITORY, GITHUB_REF_NAME and GITHUB_REF_TYPE.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root, runMain, SetupError } from './setup.mjs';

/** Every link except to a URL or to a heading of the same page. */
const LINKS = /\]\((?![a-z]+:|#)([^)\s]+)\)/g;

/** The documents of the package, as npm packs them. */
export function packedDocuments(folder) {
  const below = (path) =>
    readdirSync(join(folder, path))
      .filter((name) => name.endsWith('.md'))
      .map((name) => `${path}/${name}`);
  return ['README.md', 'CHANGELOG.md', ...below('docs'), ...below('docs/guides')];
}

/**
 * The text of a document with absolute links to what is not among `packed`.
 *
 * @param path The document, relative to the repository. @param base The address of the repository's files.
 */
export function withAddresses(path, text, packed, base) {
  return text.replaceAll(LINKS, (link, target) => {
    const [file, anchor] = target.split('#');
    const goal = posix.join(posix.dirname(path), file);
    if (path !== 'README.md' && packed.includes(goal)) return link;
    return `](${base}/${goal}${anchor === undefined ? '' : `#${anchor}`})`;
  });
}

function nameRepository(folder) {
  const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: name, GITHUB_REF_NAME: revision } = process.env;
  if (!server || !name || !revision)
    throw new SetupError(
      'GITHUB_SERVER_URL, GITHUB_REPOSITORY and GITHUB_REF_NAME must name the repository.',
    );
  const address = `${server}/${name}`;
  const manifestFile = join(folder, 'package.json');
  const manifest = JSON.parse(readFileSync(manifestFile, 'utf8'));
  if (process.env.GITHUB_REF_TYPE === 'tag' && revision !== `v${manifest.version}`)
    throw new SetupError(`The tag is ${revision}, the version of package.json is ${manifest.version}.`);
  const facts = {
    homepage: `${address}#readme`,
    repository: { type: 'git', url: `git+${address}.git` },
    bugs: { url: `${address}/issues` },
  };
  writeFileSync(manifestFile, `${JSON.stringify({ ...manifest, ...facts }, null, 2)}\n`);
  const packed = packedDocuments(folder);
  for (const path of packed) {
    const text = readFileSync(join(folder, path), 'utf8');
    writeFileSync(join(folder, path), withAddresses(path, text, packed, `${address}/blob/${revision}`));
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href)
  await runMain(() => nameRepository(process.argv[2] ?? root));
