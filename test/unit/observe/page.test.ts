// What the observer page does with the events it gets: for the keyboard, for a screen reader, in a narrow window, and while it is paused.
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, startBrowser, whyNoBrowser } from '../../support/browser.ts';
import { ObserverPage } from '../../support/observer-page.ts';

const LONG = 'a-service-with-a-long-name@host-17.eu-central-1.compute.internal.example.org:9000';

describe.skipIf(whyNoBrowser !== undefined)('the page', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await startBrowser();
  });
  afterAll(() => browser?.close());

  const open = async (width = 1280, height = 640): Promise<{ observer: ObserverPage; page: Page }> => {
    const observer = await ObserverPage.open(browser, { viewport: { width, height } });
    await observer.emit('open', {});
    return { observer, page: observer.page };
  };
  /** The text of what has the focus. */
  const focused = (page: Page): Promise<string> =>
    page.evaluate(`(() => {
      const { activeElement: on, body } = document;
      return on === body ? 'nothing' : (on.getAttribute('aria-label') ?? on.textContent);
    })()`);
  const text = (page: Page, selector: string): Promise<string | null> => page.locator(selector).textContent();

  describe('keeps the focus', () => {
    it.each(['#nodes', '#unhealthy'])('in %s, when the order and the words of nodes change', async (list) => {
      const { observer, page } = await open();
      await observer.cluster({ 'a@h:1': 'healthy', 'b@h:1': 'late', 'c@h:1': 'late' });
      await page.locator(`${list} button`, { hasText: 'c@h' }).focus();
      for (const lateMs of [80, 90])
        await observer.cluster({ 'a@h:1': 'lost', 'b@h:1': 'late', 'c@h:1': 'late' }, lateMs);
      expect(await focused(page)).toContain('c@h:1');
      await observer.cluster({ 'a@h:1': 'late', 'b@h:1': 'late', 'c@h:1': 'lost' });
      expect(await focused(page)).toContain('c@h:1');
      await page.close();
    });

    it.each(['#nodes button', '#unhealthy button', '#map .dot'])(
      'near %s, when the selected node is gone',
      async (selector) => {
        const { observer, page } = await open();
        await observer.cluster({ 'a@h:1': 'healthy', 'b@h:1': 'lost' });
        await page.locator(selector, { hasText: 'b@h:1' }).focus();
        await page.keyboard.press('Enter');
        expect(await text(page, '#node-title')).toBe('b@h:1');
        await observer.cluster({ 'a@h:1': 'healthy' });
        expect(await text(page, '#facts')).toBe('This node is no longer known.');
        expect(await focused(page)).toContain('a@h:1');
        expect(await page.locator('#map .dot[tabindex="0"]').count()).toBe(1);
        await page.keyboard.press('Enter');
        expect(await text(page, '#node-title')).toBe('a@h:1');
        await page.close();
      },
    );
  });

  describe('while it is paused', () => {
    it('says so, whatever becomes of its connection, which it tells afterwards', async () => {
      const { observer, page } = await open();
      await page.getByRole('button', { name: 'Pause' }).click();
      for (const event of ['open', 'error']) {
        await observer.emit(event, {});
        expect(await text(page, '#status')).toBe('paused');
      }
      await page.getByRole('button', { name: 'Resume' }).click();
      expect(await text(page, '#status')).toBe('the observer does not answer; trying again …');
      await page.close();
    });

    it('shows what is selected, once', async () => {
      const { observer, page } = await open();
      await observer.cluster({ 'a@h:1': 'healthy', 'b@h:1': 'healthy' });
      await observer.actors('a@h:1', 1);
      await page.getByRole('button', { name: 'Pause' }).click();
      await observer.actors('a@h:1', 2);
      expect(await page.locator('#table tbody tr').count()).toBe(1);
      await page.locator('#nodes button', { hasText: 'b@h' }).click();
      expect(await page.locator('#table tbody tr').count()).toBe(0);
      for (const actors of [3, 4]) await observer.actors('b@h:1', actors);
      expect(await page.locator('#table tbody tr').count()).toBe(3);
      await page.close();
    });

    it('keeps the log as it is, and shows afterwards what has come', async () => {
      const { observer, page } = await open();
      const down = (id: number) => ({ id, at: 0, kind: 'down', node: 'a@h:1', text: `${id}`, times: 1 });
      const lines = () => page.locator('#log span').allTextContents();
      await observer.emit('log', [down(1)]);
      await page.getByRole('button', { name: 'Pause' }).click();
      await observer.emit('log', [down(2)]);
      await observer.emit('log', [down(3)]);
      expect(await lines()).toEqual(['1']);
      await page.getByRole('button', { name: 'Resume' }).click();
      expect(await lines()).toEqual(['3', '2', '1']);
      await observer.emit('log', [down(4)]);
      expect(await lines()).toEqual(['4', '3', '2', '1']);
      await page.close();
    });
  });

  it('at 320 px nothing is cut off, and Tab leads through it and out of it, both ways', async () => {
    const { observer, page } = await open(320);
    await observer.emit('error', {}); // the longest status
    await observer.cluster({ [LONG]: 'healthy', 'b@h:1': 'lost', 'c@h:1': 'late' });
    await observer.actors(LONG, 50, 10_000);
    const crash = {
      at: 0,
      kind: 'crash',
      node: LONG,
      text: 'worker: Error: out of paper',
      stack: 'Error',
      times: 2,
    };
    await observer.emit(
      'log',
      Array.from({ length: 60 }, (_, id) => ({ ...crash, id: id + 1, text: `${id}` })),
    );
    expect(await ask(page, 'overflowing')).toEqual([]);
    expect(await ask(page, 'tooLow', 24)).toEqual([]);
    expect(await text(page, '#table > p')).toBe('50 of 10000');
    for (const key of ['Tab', 'Shift+Tab']) {
      const seen = new Set<string>();
      for (;;) {
        await page.keyboard.press(key);
        const { on, isSeen } = await ask(page, 'focus');
        if (on.startsWith('BODY')) break;
        seen.add(on);
        expect({ on, isSeen: isSeen || (await ask(page, 'dot')).isSeen }).toEqual({ on, isSeen: true });
        expect({ on, isCovered: await ask(page, 'isCovered') }).toEqual({ on, isCovered: false });
      }
      expect([...seen]).toEqual(
        expect.arrayContaining(['pause', 'table', 'log', 'BUTTON Actors', 'SUMMARY stack']),
      );
    }
    await page.close();
  });

  it('a wide window covers nothing that gets the focus', async () => {
    const { observer, page } = await open(1000, 300);
    const nodes = Object.fromEntries(Array.from({ length: 8 }, (_, at) => [`n${at}@h:1`, 'lost'] as const));
    await observer.cluster({ 'a@h:1': 'healthy', ...nodes });
    for (const key of ['Tab', 'Shift+Tab'])
      for (;;) {
        await page.keyboard.press(key);
        const { on } = await ask(page, 'focus');
        if (on.startsWith('BODY')) break;
        expect({ on, isCovered: await ask(page, 'isCovered') }).toEqual({ on, isCovered: false });
      }
    await page.close();
  });

  it('a screen reader finds names for what can be used, heads of tables, and no line of the map', async () => {
    const { observer, page } = await open();
    await observer.cluster({ 'a@h:1': 'healthy', 'b@h:1': 'lost', 'c@h:1': 'late' });
    await observer.actors('a@h:1', 2);
    const session = await page.context().newCDPSession(page);
    const { nodes } = await session.send('Accessibility.getFullAXTree');
    const found = nodes
      .filter(({ ignored }) => !ignored)
      .map(({ role, name }) => ({ role: String(role?.value), name: String(name?.value ?? '') }));
    const named = (wanted: string): string[] =>
      found.filter(({ role }) => role === wanted).map(({ name }) => name);
    for (const role of ['button', 'combobox', 'region', 'group']) {
      expect([role, named(role).length]).not.toEqual([role, 0]);
      expect([role, named(role).filter((name) => name === '')]).toEqual([role, []]);
    }
    expect(named('columnheader')).toEqual(expect.arrayContaining(['PID', 'Mailbox', 'Reason', 'Messages']));
    expect(named('graphics-symbol')).toEqual([]);
    expect(named('list')).toContain('Crashes on all nodes, and events about the peers of the observing node');
    await page.close();
  });
});
