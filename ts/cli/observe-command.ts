import { once } from 'node:events';
import { startObserver } from '../observe/index.ts';
import { ASKING_OPTIONS, asking } from './asking.ts';
import { type Command, EXIT } from './command.ts';

/** `snowmesh observe`: a page that shows the cluster. */
export const observeCommand: Command = {
  name: 'observe',
  summary: 'serve a web page that shows the cluster live, on 127.0.0.1, until Ctrl-C or SIGTERM',
  examples: ['snowmesh observe --port 4371 --node shop@10.0.0.1:9000 --cookie-file ./cookie'],
  options: {
    ...ASKING_OPTIONS,
    port: { value: 'n', summary: 'the port of the page. Default: a free one' },
  },
  async run(given, terminal) {
    const port = given.whole('port', 0, 0, 65_535);
    return asking(given, terminal, async ({ node, name }) => {
      const observer = await startObserver(node, { port, node: name });
      const { url } = observer;
      const { signal } = terminal; // from now on a signal ends the command in order
      terminal.out(
        given.flag('json') ? `${JSON.stringify({ url, node: name })}\n` : `${name} is shown at ${url}\n`,
      );
      if (!signal.aborted) await once(signal, 'abort');
      await observer.close();
      return EXIT.DONE;
    });
  },
};
