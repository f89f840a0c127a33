// Writes the address of the repository into the package (release.yml runs this before it packs): `repository`, `homepage` and `bugs`
// of package.json, which npm compares with the provenance, and absolute links in the README, which is also shown outside of the
// repository. Fails if a tag is not the version of package.json. The repository is given by GITHUB_SERVER_URL, GITHUB_REPOSITORY,
// GITHUB_REF_NAME and GITHUB_REF_TYPE.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, runMain, SetupError } from './setup.mjs';

await runMain(() => {
  const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: name, GITHUB_REF_NAME: revision } = process.env;
  if (!server || !name || !revision)
    throw new SetupError(
      'GITHUB_SERVER_URL, GITHUB_REPOSITORY and GITHUB_REF_NAME must name the repository.',
    );
  const folder = process.argv[2] ?? root;
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
  const readmeFile = join(folder, 'README.md');
  const readme = readFileSync(readmeFile, 'utf8');
  // Every link except to a URL or to a heading of the same page.
  const links = /\]\((?![a-z]+:|#)([^)\s]+)\)/g;
  writeFileSync(readmeFile, readme.replaceAll(links, `](${address}/blob/${revision}/$1)`));
});
