#!/usr/bin/env node
import { emitKeypressEvents } from 'node:readline';
import { runCommand } from './index.ts';
import type { Screen } from './terminal.ts';

const ending = new AbortController();
let isListening = false;

process.exitCode = await runCommand(process.argv.slice(2), {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  get signal() {
    if (!isListening)
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => ending.abort());
    isListening = true;
    return ending.signal;
  },
  env: process.env,
  screen: process.stdout.isTTY && process.stdin.isTTY ? screen() : undefined,
});

function screen(): Screen {
  return {
    size: () => ({ columns: process.stdout.columns, rows: process.stdout.rows }),
    keys: (pressed) => {
      const onKey = (_: unknown, { name, ctrl }: { name?: string; ctrl?: boolean }): void => {
        if (ctrl === true && name === 'c') ending.abort();
        else if (name !== undefined) pressed(name);
      };
      emitKeypressEvents(process.stdin);
      process.stdin.on('keypress', onKey).setRawMode(true).resume();
      return () => void process.stdin.off('keypress', onKey).setRawMode(false).pause();
    },
  };
}
