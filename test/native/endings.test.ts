// Every way a process or a worker can end with the native core in it: no crash, no hang, no thread left behind.
import { describe, expect, it } from 'vitest';
import { type Child, startChild } from '../support/child.ts';

const file = new URL('./child.ts', import.meta.url);
const run = (scenario: string, reader: string): Child => startChild(file, { args: [scenario, reader] });

describe.each(['loop', 'thread'])('an end, reader %s', (reader) => {
  const plain = ['normal end', 'end in a flood', 'unref lets it end'];
  it.each(plain)('V5 %s', async (scenario) => {
    const child = run(scenario, reader);
    expect(await child.exit(), child.stderr()).toEqual({ code: 0, signal: null });
  });

  it('process.exit inside the batch callback', async () => {
    expect(await run('exit in a batch', reader).exit()).toEqual({ code: 7, signal: null });
  });

  it('an uncaught error inside the batch callback ends the process as any other', async () => {
    const child = run('throw in a batch', reader);
    expect(await child.exit()).toEqual({ code: 1, signal: null });
    expect(child.stderr()).toContain('thrown in a batch');
  });

  it('after a caught one batches go on', async () => {
    const child = run('throw and go on', reader);
    expect(await child.exit()).toEqual({ code: 0, signal: null });
    expect(child.stdout().trim().split('\n')).toEqual(['caught thrown in a batch', 'value 2', 'closed 0']);
  });

  it('close waits for what is pending, then leaves no thread', async () => {
    const child = run('close waits', reader);
    expect(await child.exit()).toEqual({ code: 0, signal: null });
    expect(child.stdout().trim()).toBe('received 20000 threads 0');
  });

  it('SIGTERM', async () => {
    const child = run('stay until SIGTERM', reader);
    await child.line('ready');
    child.kill('SIGTERM');
    expect(await child.exit()).toEqual({ code: null, signal: 'SIGTERM' });
  });

  it('twenty starts and stops leave no thread', async () => {
    const child = run('start and stop', reader);
    expect(await child.exit()).toEqual({ code: 0, signal: null });
    expect(child.stdout().trim()).toBe('threads 0');
  });

  it('worker.terminate with a batch in flight', async () => {
    const child = run('terminate a worker', reader);
    expect(await child.exit(), child.stderr()).toEqual({ code: 0, signal: null });
    expect(child.stdout().trim()).toBe('threads 0');
  });

  it('worker.terminate at any moment of its start', async () => {
    const child = run('terminate a worker at once', reader);
    expect(await child.exit(), child.stderr()).toEqual({ code: 0, signal: null });
    expect(child.stdout().trim()).toBe('threads 0');
  });

  it('process.exit in a worker, inside the batch callback', async () => {
    const child = run('a worker exits', reader);
    expect(await child.exit(), child.stderr()).toEqual({ code: 0, signal: null });
    expect(child.stdout().trim()).toBe('worker 7 threads 0');
  });

  it('V4 twenty workers load it at once, and all end well', async () => {
    const child = run('twenty workers', reader);
    expect(await child.exit(90_000), child.stderr()).toEqual({ code: 0, signal: null });
    expect(child.stdout()).toContain(`codes ${'0'.repeat(20)} threads 0`);
  });

  it('a worker attaches as a second lane, hears what it missed, and gets its own messages', async () => {
    const child = run('second lane', reader);
    expect(await child.exit(), child.stderr()).toEqual({ code: 0, signal: null });
    const [story, threads] = child.stdout().trim().split('\n');
    expect(JSON.parse(story ?? '')).toEqual({
      lane: 1,
      toB: 1,
      tags: [0xa2, 0xa0, 0x31, 0x31, 0x10],
      values: [41],
      main: [40],
    });
    expect(threads).toBe('threads 0');
  });
});
