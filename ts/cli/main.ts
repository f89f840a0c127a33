#!/usr/bin/env node
import { runCommand } from './index.ts';
import { screenOf } from './screen.ts';

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
  screen: screenOf(process.stdin, process.stdout, process, process.env['TERM'], () => ending.abort()),
});
