// What tests ask a page. This text runs in the page: see browser.ts.

/** Every visible text, with its contrast as WCAG 2 computes it. Grounds are taken as they are, one over the other. */
function contrasts() {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const paint = (...colours) => {
    for (const colour of ['white', ...colours]) {
      canvas.fillStyle = colour;
      canvas.fillRect(0, 0, 1, 1);
    }
    return luminance([...canvas.getImageData(0, 0, 1, 1).data.slice(0, 3)]);
  };
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratioOf = (element, pseudo) => {
    const grounds = [];
    for (let at = element; at !== null; at = at.parentElement)
      grounds.unshift(getComputedStyle(at).backgroundColor);
    const { color } = getComputedStyle(element, pseudo);
    const [light, dark] = [paint(...grounds), paint(...grounds, color)].sort((a, b) => b - a);
    return (light + 0.05) / (dark + 0.05);
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim();
    const element = walker.currentNode.parentElement;
    if (text !== '' && element.checkVisibility()) found.push({ text, ratio: ratioOf(element) });
  }
  for (const input of document.querySelectorAll('input'))
    if (input.checkVisibility())
      found.push({ text: input.placeholder, ratio: ratioOf(input, '::placeholder') });
  return found;
}

/** What reaches over the right edge of the window and can be seen there. */
function overflowing() {
  const width = document.documentElement.clientWidth;
  const right = (element) => element.getBoundingClientRect().right;
  /** Something around it cuts it off, or can be scrolled. */
  const isClipped = (element) => {
    for (let at = element.parentElement; at !== null; at = at.parentElement)
      if (getComputedStyle(at).overflowX !== 'visible') return right(at) <= width + 0.5;
    return false;
  };
  const wide = [...document.body.querySelectorAll('*')].filter(
    (each) => each.checkVisibility() && right(each) > width + 0.5 && !isClipped(each),
  );
  const names = wide.map(({ tagName, id, className }) => `${tagName} ${id} ${className}`);
  return document.documentElement.scrollWidth > width ? ['the page itself', ...names] : names;
}

/** What has the focus: its id, or its kind and text; and whether that can be seen. */
function focus() {
  const { id, tagName, textContent } = document.activeElement;
  const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
  return {
    on: id || `${tagName} ${textContent.trim().replace(/\s+/g, ' ')}`,
    isSeen: outlineStyle === 'solid' && Number.parseFloat(outlineWidth) >= 2,
  };
}

/** Whether something else, such as a header that stays, lies over the upper edge of what has the focus. */
function isCovered() {
  const focused = document.activeElement;
  const { left, right, top, bottom } = focused.getBoundingClientRect();
  const y = Math.min(Math.max(top, 0) + 2, bottom - 1);
  const over = document.elementFromPoint((left + right) / 2, y);
  return over?.closest('header') !== null && focused.closest('header') === null;
}

/** Buttons, fields and links of the nodes that are too low for a finger. */
function tooLow(least) {
  return [...document.querySelectorAll('button, input, #nodes a')]
    .filter((each) => each.checkVisibility() && each.getBoundingClientRect().height < least)
    .map((each) => each.textContent);
}

/** Pixels in the accent colour of the page that the chart with this number has. */
function chartPixels(number) {
  const canvas = document.querySelectorAll('figure canvas')[number];
  if (canvas === undefined || canvas.width === 0) return 0;
  const accent = getComputedStyle(document.documentElement).getPropertyValue('--accent').trim();
  const wanted = accent
    .slice(1)
    .match(/../g)
    .map((each) => Number.parseInt(each, 16));
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  let found = 0;
  for (let at = 0; at < data.length; at += 4)
    if (data[at + 3] > 200 && wanted.every((value, channel) => Math.abs(data[at + channel] - value) < 6))
      found++;
  return found;
}

/** Of the dot with the focus: what it is called, whether its ring can be seen, and how many dots Tab leads to. */
function dot() {
  const focused = document.activeElement?.closest('.dot');
  const ring = focused?.querySelector('.ring');
  return {
    label: focused?.getAttribute('aria-label') ?? '',
    isSeen: ring !== null && ring !== undefined && getComputedStyle(ring).stroke !== 'none',
    stops: document.querySelectorAll('.dot[tabindex="0"]').length,
  };
}

globalThis.pageProbe = { chartPixels, contrasts, dot, focus, isCovered, overflowing, tooLow };
