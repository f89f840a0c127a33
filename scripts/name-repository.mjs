// Fills what only the repository that releases knows (release.yml runs this before it packs): `repository`, `homepage` and `bugs` in
// package.json, which npm's provenance is checked against, and absolute links in the README, which readers see outside the
// repository. Refuses a tag that is not the version of package.json. Takes the repository from GITHUB_SERVER_URL, GITHUB_REPOSITORY, GITHUB_REF_NAME and GITHUB_REF_TYPE.
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
  // A link to anything but an address or a heading of the same page.
  const links = /\]\((?![a-z]+:|#)([^)\s]+)\)/g;
  writeFileSync(readmeFile, readme.replaceAll(links, `](${address}/blob/${revision}/$1)`));
});
