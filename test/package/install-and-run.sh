# Installs the tarball beside this file into a project of its own, and passes a message between two nodes (release.yml).
set -e
cd "$(dirname "$0")"
# Without it npm would install into the project above, the checkout.
echo '{ "private": true }' > package.json
npm install --ignore-scripts --no-audit --no-fund ./snowmesh-*.tgz
node two-nodes.mjs
