// npm run chat [-- --port 4100] [-- --restart 5]: the chat on three nodes (examples/chat).
import { join } from 'node:path';
import { become, root, runMain, setup } from './setup.mjs';

await runMain(() => {
  setup();
  return become(process.execPath, [join(root, 'dist/examples/chat/main.js'), ...process.argv.slice(2)]);
});
