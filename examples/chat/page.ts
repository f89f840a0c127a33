// Serves the page: a fixed list of files, and what the page must know of the cluster.
import { readdirSync, readFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { fileURLToPath } from 'node:url';

/** What a page asks for first. */
export interface PageFacts {
  readonly rooms: readonly string[];
  readonly nodes: readonly { readonly letter: string; readonly page: string }[];
  /** URLs of the WebSockets, in the order in which they are tried. */
  readonly sockets: readonly string[];
}

const TYPES = { html: 'text/html', css: 'text/css', js: 'text/javascript', svg: 'image/svg+xml' };

/** The page runs our scripts and nothing else, and talks to this machine alone. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; " +
  "connect-src 'self' ws://127.0.0.1:*; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const PAGE = new URL('page/', import.meta.url);
/** In an application of its own: import.meta.resolve('snowmesh/client.min.js'). */
const CLIENT = new URL('../../ts/client/snowmesh-client.min.js', import.meta.url);

export function servePage(facts: PageFacts): RequestListener {
  // A list, not a folder: no path that a request may name leads anywhere else.
  const files = new Map(readdirSync(PAGE).map((name) => [`/${name}`, new URL(name, PAGE)]));
  files.set('/', new URL('index.html', PAGE));
  files.set('/snowmesh-client.min.js', CLIENT);
  return (request, response) => {
    const [pathname = '/'] = (request.url ?? '/').split('?', 1); // `new URL` throws for targets such as `//`
    const found = files.get(pathname);
    const send = (status: number, type: string, body: string): void => {
      response.writeHead(status, {
        'Content-Type': `${type}; charset=utf-8`,
        'Content-Security-Policy': POLICY,
        'Cache-Control': 'no-store',
        'X-Content-Type-Options': 'nosniff',
      });
      response.end(request.method === 'HEAD' ? undefined : body);
    };
    if (pathname === '/cluster.json') send(200, 'application/json', JSON.stringify(facts));
    else if (found === undefined) send(404, 'text/plain', 'There is nothing here.\n');
    else {
      const path = fileURLToPath(found);
      const extension = path.slice(path.lastIndexOf('.') + 1) as keyof typeof TYPES;
      send(200, TYPES[extension], readFileSync(path, 'utf8'));
    }
  };
}
