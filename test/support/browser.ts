// A headless Chromium for tests that open pages, and what a page can be asked.
import { existsSync, mkdirSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { root } from './child.ts';

const PLACES = [
  process.env['CHROMIUM'] ?? '',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];
const executablePath = PLACES.find((path) => path !== '' && existsSync(path));

/** Why there are no browser tests here; undefined: there are. */
export const whyNoBrowser =
  executablePath === undefined
    ? 'no Chromium was found: install the package chromium, or name one in CHROMIUM'
    : undefined;

export function startBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: executablePath as string, args: ['--no-sandbox'] });
}

/** Screenshots go to the folder SCREENSHOTS, or to one of their own. */
export function screenshotFolder(): string {
  const folder = process.env['SCREENSHOTS'] ?? mkdtempSync(join(tmpdir(), 'snowmesh-screenshots-'));
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** What has the focus. */
export interface Focus {
  /** Its id, or its kind and text. */
  readonly on: string;
  readonly isSeen: boolean;
}

/** What a page can be asked. */
interface Questions {
  contrasts: { readonly text: string; readonly ratio: number }[];
  overflowing: string[];
  focus: Focus;
  tooLow: string[];
  isCovered: boolean;
  chartPixels: number;
  dot: { readonly label: string; readonly isSeen: boolean; readonly stops: number };
}

const probe = readFileSync(join(root, 'test/support/page-probe.js'), 'utf8');

/** Asks a page by a function of page-probe.js. */
export function ask<Q extends keyof Questions>(
  page: Page,
  question: Q,
  ...args: number[]
): Promise<Questions[Q]> {
  return page.evaluate<Questions[Q]>(
    `(() => { ${probe}\n return pageProbe.${question}(${args.join()}); })()`,
  );
}
