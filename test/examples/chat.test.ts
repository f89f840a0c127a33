// The example chat in a browser: pages on different nodes, one of which is killed; keyboard, colours and small screens.
import { join } from 'node:path';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ask, screenshotFolder, startBrowser, whyNoBrowser } from '../support/browser.ts';
import { type Child, hasSignals, killChildren, root, startChild } from '../support/child.ts';
import { until } from '../support/deadline.ts';
import { freePorts } from './chat-ports.ts';

const WIDE = { width: 1280, height: 800 };
const NARROW = { width: 390, height: 844 };
/** Text of a message that the server has taken. */
const SAID = '.log:not([hidden]) .message:not(.waiting) p';

let browser: Browser;
let base: number;
let launcher: Child;
/** What pages complained of. */
let complaints: string[];

beforeAll(async () => {
  if (whyNoBrowser !== undefined) return;
  browser = await startBrowser();
}, 120_000);
afterAll(() => browser?.close());

beforeEach(async () => {
  complaints = [];
  if (whyNoBrowser !== undefined) return;
  base = await freePorts();
  const args = ['--port', `${base}`, '--restart', '1'];
  launcher = startChild(join(root, 'dist/examples/chat/main.js'), { args });
  await launcher.line(/Ctrl-C ends it/);
});
afterEach(async () => {
  for (const context of browser?.contexts() ?? []) await context.close();
  await killChildren();
});

/** A window of somebody on a node that has not said a name yet. */
async function open(node: number, options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext({ viewport: WIDE, ...options });
  const page = await context.newPage();
  page.on('pageerror', ({ message }) => complaints.push(message));
  page.on('console', (message) => {
    // A browser itself says that a server is gone.
    const isLoss = /WebSocket connection to .* failed/.test(message.text());
    if (message.type() === 'error' && !isLoss) complaints.push(message.text());
  });
  await page.goto(`http://127.0.0.1:${base + node}/`);
  return page;
}

async function enter(name: string, node: number, options: BrowserContextOptions = {}): Promise<Page> {
  const page = await open(node, options);
  await page.getByRole('textbox', { name: 'Name' }).fill(name);
  await page.getByRole('button', { name: 'Join the chat' }).click();
  await page.getByText(`Connected to node ${'abc'[node]}`).waitFor();
  // It is connected before it is in the room; what others say in between does not reach it.
  await person(page, name).waitFor({ state: 'attached' });
  return page;
}

async function say(page: Page, text: string): Promise<void> {
  await page.getByRole('textbox', { name: 'Message' }).fill(text);
  await page.keyboard.press('Enter');
}

const said = (page: Page): Promise<string[]> => page.locator(SAID).allTextContents();
const count = (page: Page, wanted: number): Promise<void> =>
  page
    .locator(SAID)
    .nth(wanted - 1)
    .waitFor({ state: 'attached' });
const person = (page: Page, name: string) => page.locator(`#people li[data-name="${name}"]`);
const node = (page: Page, letter: string) => page.locator(`#nodes a[data-node="${letter}"]`);

describe.skipIf(whyNoBrowser !== undefined)(
  `the chat in a browser${whyNoBrowser === undefined ? '' : `: ${whyNoBrowser}`}`,
  () => {
    it.runIf(hasSignals)('loses and doubles nothing when the node of a page is killed', async () => {
      const ada = await enter('Ada', 0);
      const joe = await enter('Joe', 1);
      for (let number = 1; number <= 3; number++) {
        await say(ada, `Ada ${number}`);
        await say(joe, `Joe ${number}`);
      }
      await Promise.all([count(ada, 6), count(joe, 6)]);

      await ada.getByRole('button', { name: 'Kill node a' }).click();
      await ada.getByRole('dialog').getByRole('button', { name: 'Kill it' }).click();
      // Both go on writing: one has no connection, the other does not know yet that anything happened.
      for (let number = 4; number <= 8; number++) {
        await say(ada, `Ada ${number}`);
        await say(joe, `Joe ${number}`);
      }
      await launcher.line('Node a is gone (SIGKILL)');
      await ada.getByText(/Connected to node [bc]/).waitFor();
      await ada.getByText(/Node a is gone. You go on at node [bc]/).waitFor();
      await say(ada, 'Ada 9');
      await say(joe, 'Joe 9');

      const all = (name: string): string[] => Array.from({ length: 9 }, (_, index) => `${name} ${index + 1}`);
      for (const page of [ada, joe]) {
        await count(page, 18);
        const texts = await said(page);
        expect(texts.filter((text) => text.startsWith('Ada'))).toEqual(all('Ada'));
        expect(texts.filter((text) => text.startsWith('Joe'))).toEqual(all('Joe'));
        expect(await page.locator('.message.waiting').count()).toBe(0);
      }
      // One node was killed, although the client sent the wish to die to the next one, too.
      await launcher.line('Node a is back');
      await joe.locator('#nodes a[data-node="a"][data-state="up"]').waitFor();
      expect(launcher.stdout().match(/is gone/g)).toHaveLength(1);
      const cyn = await enter('Cyn', 0);
      await say(cyn, 'Cyn 1');
      await Promise.all([count(ada, 19), count(joe, 19), count(cyn, 1)]);
      expect(complaints).toEqual([]);
    });

    it('shows who is there, on which node, and who is typing', async () => {
      const ada = await enter('Ada', 0);
      const joe = await enter('Joe', 1);
      await person(ada, 'Joe').getByText('node b').waitFor();
      await person(joe, 'Ada').getByText('node a').waitFor();
      await node(ada, 'a').getByText('you').waitFor();
      await node(ada, 'b').getByText('up').waitFor();

      await joe.getByRole('textbox', { name: 'Message' }).pressSequentially('hel');
      await ada.getByText('Joe is typing…').waitFor();
      await person(ada, 'Joe').getByTitle('is typing').waitFor();
      await joe.keyboard.press('Escape');
      await ada.getByText('Joe is typing…').waitFor({ state: 'detached' });
      expect(await joe.getByRole('textbox', { name: 'Message' }).inputValue()).toBe('');

      // Another room has other people, and says that something is new there.
      await joe.getByRole('button', { name: /random/ }).click();
      await person(ada, 'Joe').waitFor({ state: 'detached' });
      await say(joe, 'over here');
      await ada.getByRole('button', { name: /random 1 new 1 person/ }).click();
      await count(ada, 1);
      expect(await said(ada)).toEqual(['over here']);
      await person(ada, 'Joe').waitFor();

      await joe.close();
      await person(ada, 'Joe').waitFor({ state: 'detached' });
      expect(complaints).toEqual([]);
    });

    it('goes on after a reload with what it had and what it missed', async () => {
      const ada = await enter('Ada', 0);
      const joe = await enter('Joe', 1);
      await say(ada, 'first');
      await Promise.all([count(ada, 1), count(joe, 1)]);
      await ada.goto('about:blank');
      await person(joe, 'Ada').waitFor({ state: 'detached' });
      await say(joe, 'second');
      await count(joe, 2);
      await ada.goto(`http://127.0.0.1:${base}/`);
      await count(ada, 2);
      expect(await said(ada)).toEqual(['first', 'second']);
      await say(ada, 'third');
      await Promise.all([count(ada, 3), count(joe, 3)]);
      expect(await said(joe)).toEqual(['first', 'second', 'third']);
      expect(complaints).toEqual([]);
    });

    it.runIf(hasSignals)(
      'takes a message once that was under way while its page was loaded again',
      async () => {
        const ada = await enter('Ada', 0);
        const joe = await enter('Joe', 1);
        await say(ada, 'first');
        await Promise.all([count(ada, 1), count(joe, 1)]);
        const pid = Number(/node a .* process (\d+)/.exec(launcher.stdout())?.[1]);
        process.kill(pid, 'SIGSTOP');
        await say(ada, 'second');
        await ada.locator('.message.waiting').getByText('second').waitFor();
        await ada.goto('about:blank');
        process.kill(pid, 'SIGCONT');
        await count(joe, 2);
        await ada.goto(`http://127.0.0.1:${base}/`);
        await count(ada, 2);
        await say(ada, 'third');
        await Promise.all([count(ada, 3), count(joe, 3)]);
        for (const page of [ada, joe]) expect(await said(page)).toEqual(['first', 'second', 'third']);
        expect(await ada.locator('.message.waiting').count()).toBe(0);
        expect(complaints).toEqual([]);
      },
    );

    it('reads nothing that people write as HTML', async () => {
      const ada = await enter('<b>Ada</b>', 0);
      const text = '<img src=x onerror="document.title=1">';
      await say(ada, text);
      await count(ada, 1);
      expect(await said(ada)).toEqual([text]);
      expect(await ada.locator('.log img, .log b b, #people b b').count()).toBe(0);
      expect(complaints).toEqual([]);
    });

    it('is used with the keyboard alone', async () => {
      const page = await open(0);
      const focused = async (): Promise<string> => (await ask(page, 'focus')).on;
      await page.getByRole('dialog').waitFor();
      await page.keyboard.press('Escape'); // nobody is in the chat without a name
      await page.keyboard.type('Ada');
      await page.keyboard.press('Enter');
      await page.getByText('Connected to node a').waitFor();
      await page.getByRole('button', { name: 'lobby 1 person' }).waitFor();
      expect(await focused()).toBe('text');
      await page.keyboard.type('hello');
      await page.keyboard.press('Enter');
      await count(page, 1);

      // From the top to the bottom, each stop with a visible mark.
      await page.getByRole('link', { name: 'Skip to the message field' }).focus();
      const stops: string[] = [];
      for (let stop = 0; stop < 12; stop++) {
        const { on, isSeen } = await ask(page, 'focus');
        expect([on, isSeen]).toEqual([on, true]);
        stops.push(on);
        await page.keyboard.press('Tab');
      }
      expect(stops).toEqual([
        'A Skip to the message field',
        'A node a you',
        'A node b up',
        'A node c up',
        'kill',
        'BUTTON lobby1 person',
        'BUTTON engineering',
        'BUTTON random',
        expect.stringMatching(/^DIV .*hello$/),
        'text',
        'BUTTON Send',
        'rename',
      ]);

      const room = page.getByRole('button', { name: 'random' });
      await room.focus();
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { name: 'random' }).waitFor();
      expect(await room.getAttribute('aria-current')).toBe('true');
      await page.getByRole('log', { name: 'Messages in random' }).waitFor();

      await page.getByRole('button', { name: 'Kill node a' }).focus();
      await page.keyboard.press('Enter');
      await page.getByRole('dialog', { name: /Kill node a, process \d+/ }).waitFor();
      expect(await focused()).toBe('BUTTON Cancel');
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      expect(await focused()).toBe('kill');
      await page.getByText('Connected to node a').waitFor();
      expect(complaints).toEqual([]);
    });

    it('keeps its people behind a button on a small screen', async () => {
      const page = await enter('Ada', 0, { viewport: NARROW });
      const button = page.getByRole('button', { name: '1 person' }).last();
      const people = page.getByRole('complementary', { name: 'People here' });
      expect([await people.isVisible(), await button.getAttribute('aria-expanded')]).toEqual([
        false,
        'false',
      ]);
      await button.press('Enter');
      await people.waitFor();
      expect(await button.getAttribute('aria-expanded')).toBe('true');
      await page.keyboard.press('Escape');
      await people.waitFor({ state: 'hidden' });
      expect((await ask(page, 'focus')).on).toBe('show-people');
    });

    it('is right on small and large screens, in light and dark', async () => {
      const folder = screenshotFolder();
      const ada = await enter('Ada', 0);
      const joe = await enter('Joe', 1);
      const lynn = await enter('Lynn', 2);
      const talk: [Page, string][] = [
        [ada, 'Hello everybody, this is node a.'],
        [joe, 'Hi Ada! I read this on node b.'],
        [joe, 'No broker in between.'],
        [
          lynn,
          'And what happens when one of them is killed? Somebody should try that, while others go on writing.',
        ],
        [ada, `A long word: ${'snow'.repeat(40)}`],
        [joe, 'Try it: the button is up there.'],
      ];
      for (const [index, [page, text]] of talk.entries()) {
        await say(page, text);
        await Promise.all([ada, joe, lynn].map((each) => count(each, index + 1)));
      }
      await lynn.getByRole('textbox', { name: 'Message' }).pressSequentially('I am');
      const isAtEnd = `(({ scrollHeight, scrollTop, clientHeight }) => scrollHeight - scrollTop - clientHeight < 2)(
      document.querySelector('.log:not([hidden])'))`;
      for (const viewport of [NARROW, WIDE])
        for (const colorScheme of ['light', 'dark'] as const) {
          await ada.setViewportSize(viewport);
          await ada.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
          // The last message is seen when the size has changed.
          await until('the last message is seen', () => ada.evaluate(isAtEnd));
          const what = `${viewport.width} ${colorScheme}`;
          await ada.screenshot({ path: join(folder, `chat-${viewport.width}-${colorScheme}.png`) });
          expect([what, await ask(ada, 'overflowing')]).toEqual([what, []]);
          const texts = await ask(ada, 'contrasts');
          expect(texts.length).toBeGreaterThan(15);
          expect([what, texts.filter(({ ratio }) => ratio < 4.5)]).toEqual([what, []]);
          expect([what, await ask(ada, 'tooLow', 32)]).toEqual([what, []]);
        }
      const colour = 'getComputedStyle(document.body).backgroundColor';
      const ground = await ada.evaluate(colour);
      await ada.emulateMedia({ colorScheme: 'light' });
      expect(await ada.evaluate(colour)).not.toBe(ground);
      expect(complaints).toEqual([]);
    });
  },
);
