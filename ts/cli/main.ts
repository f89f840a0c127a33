#!/usr/bin/env node
import { EXIT } from './command.ts';
import { runCommand } from './index.ts';
import { outputTo } from './output.ts';
import { screenOf } from './screen.ts';

const ending = new AbortController();
const end = (): void => ending.abort();
let isListening = false;
let hasFailed = false;

const err = outputTo(
  process.stderr,
  () => {},
  () => {},
);
const code = await runCommand(process.argv.slice(2), {
  out: outputTo(process.stdout, end, ({ message }) => {
    if (!hasFailed) err(`snowmesh: standard output cannot be written: ${message}\n`);
    hasFailed = true;
    process.exitCode = EXIT.FAILED;
    end();
  }),
  err,
  get signal() {
    if (!isListening) for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, end);
    isListening = true;
    return ending.signal;
  },
  env: process.env,
  screen: screenOf(process.stdin, process.stdout, process, process.env['TERM'], end),
});
if (!hasFailed) process.exitCode = code;
