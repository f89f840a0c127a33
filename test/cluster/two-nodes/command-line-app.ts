// A program as `snowmesh start` runs it.
import { defineServer, type Node } from '../../../ts/index.ts';

export default async function main(node: Node): Promise<void> {
  const server = defineServer({ name: 'app', init: () => 0, terminate: () => console.log('terminated') });
  await server.start(node);
  console.log(node.name, ...process.argv.slice(2));
}
