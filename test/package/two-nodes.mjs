// Two nodes and one message between them, over TLS: what every prebuilt addon and every bundle must be able to do.
import { startNode } from 'snowmesh';

async function main() {
  const start = (name) =>
    startNode({ name: `${name}@127.0.0.1:0`, cookie: 'of-two-nodes-in-one-program', mesh: 'explicit' });
  const [a, b] = await Promise.all([start('a'), start('b')]);
  const received = new Promise((resolve) => {
    a.spawn(async (self) => {
      self.register('inbox');
      resolve(await self.receive());
    });
  });
  if (!(await b.connect(a.name))) throw new Error('the nodes do not connect');
  b.send({ name: 'inbox', node: a.name }, 'a message');
  console.log(`received: ${await received}`);
  await Promise.all([a.stop(), b.stop()]);
}

main().catch((error) => {
  console.error(error.code, error.message);
  process.exitCode = 1;
});
