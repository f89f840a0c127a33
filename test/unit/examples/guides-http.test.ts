// Runs the programs of docs/guides/http.md with Express and with Fastify.
import { once } from 'node:events';
import { get, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
// @ts-expect-error It has no types of its own.
import express from 'express';
import fastify from 'fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type * as snowmesh from '../../../ts/index.ts';
import { startTestRuntime, type TestRuntime } from '../../../ts/testing/index.ts';
import { until } from '../../support/deadline.ts';
import { runGuide } from './guide-programs.ts';

interface Work {
  readonly input: string;
  readonly signal: AbortSignal;
  end(body: string): void;
  fail(): void;
}

describe.each(['express', 'fastify'])('%s', (framework) => {
  let kit: TestRuntime;
  let works: Work[];
  let server: Server;
  let drain: () => Promise<unknown>;
  let port: number;
  beforeEach(async () => {
    kit = startTestRuntime();
    works = [];
    await runGuide('http', ['work', framework], {
      work: (input: string, signal: AbortSignal) =>
        new Promise<string>((resolve, reject) => {
          works.push({ input, signal, end: resolve, fail: () => reject(new Error('no')) });
        }),
      startNode: () =>
        Object.assign(kit, {
          stopOnSignals: (options: { before: typeof drain }) => (drain = options.before),
        }),
      express: () => {
        const app = express();
        const listen = app.listen.bind(app);
        return Object.assign(app, {
          listen: () => {
            server = listen(0, '127.0.0.1');
            return server;
          },
        });
      },
      fastify: () => {
        const app = fastify();
        const listen = app.listen.bind(app);
        return Object.assign(app, {
          listen: async () => {
            await listen({ port: 0, host: '127.0.0.1' });
            server = app.server;
          },
        });
      },
    });
    if (!server.listening) await once(server, 'listening');
    port = (server.address() as AddressInfo).port;
  });
  afterEach(async () => {
    for (const work of works) work.end('late');
    if (server.listening) {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    }
    kit.stop();
  });

  interface Answer {
    readonly status: number | undefined;
    readonly retryAfter: string | undefined;
    readonly body: string;
  }

  function ask(id: string): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const request = get({ port, host: '127.0.0.1', path: `/report/${id}`, agent: false });
      request.once('error', reject);
      request.once('response', (response: IncomingMessage) => {
        let body = '';
        response.setEncoding('utf8').on('data', (data) => (body += data));
        response.once('end', () =>
          resolve({ status: response.statusCode, retryAfter: response.headers['retry-after'], body }),
        );
      });
    });
  }
  const begun = (count: number): Promise<boolean> =>
    until(`${count} works have begun`, () => works.length === count);

  it('answers with what the work gives; a failure is one failed request', async () => {
    const [good, bad] = [ask('good'), ask('bad')];
    await begun(2);
    works.find(({ input }) => input === 'bad')?.fail();
    expect((await bad).status).toBe(500);
    works.find(({ input }) => input === 'good')?.end('done');
    expect(await good).toMatchObject({ status: 200, body: 'done' });
  });

  it('runs 8, lets 100 wait, and refuses the next at once', async () => {
    const asked = Array.from({ length: 109 }, (_, index) => ask(`${index}`));
    const first = await Promise.race(asked);
    expect(first).toMatchObject({ status: 503, retryAfter: '1' });
    expect(works).toHaveLength(8);
    for (let index = 0; index < 108; index++) {
      await until(`work ${index} has begun`, () => works.length > index);
      works[index]?.end('done');
    }
    const statuses = (await Promise.all(asked)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(108);
    expect(statuses.filter((status) => status === 503)).toHaveLength(1);
  });

  it('answers 504 when the work takes too long', async () => {
    const slow = ask('slow');
    await begun(1);
    await kit.advance(10_000);
    expect((await slow).status).toBe(504);
  });

  it('answers 503 when the actor crashes, ends its work, and goes on after the restart', async () => {
    const lost = ask('lost');
    await begun(1);
    const reports = kit.runtime.whereis('reports') as snowmesh.Pid<never>;
    kit.runtime.sendExit(reports, 'kill');
    expect((await lost).status).toBe(503);
    expect(works[0]?.signal.aborted).toBe(true);
    await until('it is there again', () => kit.runtime.whereis('reports') !== undefined);
    const next = ask('next');
    await begun(2);
    works[1]?.end('again');
    expect(await next).toMatchObject({ status: 200, body: 'again' });
  });

  it('drains: takes no connection, and answers what is being answered', async () => {
    const running = ask('running');
    await begun(1);
    const drained = drain();
    await until('it listens no more', () => !server.listening);
    await expect(ask('too-late')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    works[0]?.end('done');
    expect(await running).toMatchObject({ status: 200, body: 'done' });
    await drained;
  });
});
