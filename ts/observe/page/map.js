// The map of the cluster: nodes on a circle, and their connections.
import { $, bytes, keepFocus, svg } from './format.js';

/** Up to this many nodes, each is labelled with its name. */
const MANY = 20;
const CENTER = 200;
const RADIUS = 150;

/** Size of a label: of a character, and of its line. */
const CHARACTER = 7.5;
const LINE = 14;
/** A label is moved away from the circle by at most so many half lines. */
const MOST_STEPS = 8;
/** Where labels may be: within the view box of the map. */
const [TOP, BOTTOM] = [-3, 408];

/** The dots of the nodes, kept from one update to the next so that the focus stays where it is. */
const dots = new Map();
const lines = svg('g', { 'aria-hidden': 'true' }); // the table of connections has their figures
$('map').append(lines);
/** The dot that Tab focuses; arrow keys move to the others. */
let tabStop;
/** The names of the nodes, in the order of the circle. */
let order = [];
/** The labels that are drawn: where, and how wide. */
let labels = [];

/** Shows `nodes`, `chosen` marked. A dot that is clicked, or on which Enter or Space is pressed, calls `choose`. */
export function showMap(nodes, chosen, choose) {
  keepFocus($('map'), () => drawMap(nodes, chosen, choose));
}

function drawMap(nodes, chosen, choose) {
  order = nodes.map(({ node }) => node);
  const places = new Map(order.map((node, at) => [node, placeOf(at)]));
  for (const [node, dot] of dots) {
    if (places.has(node)) continue;
    dot.remove();
    dots.delete(node);
  }
  if (!places.has(tabStop)) tabStop = places.has(chosen) ? chosen : order[0];
  lines.replaceChildren(...linesOf(nodes, places));
  $('map').classList.toggle('dense', lines.childElementCount > 100);
  labels = [];
  for (const each of nodes) {
    let dot = dots.get(each.node);
    if (dot === undefined) {
      dots.set(each.node, (dot = newDot(each.node, choose)));
      $('map').append(dot);
    }
    draw(dot, each, places.get(each.node), nodes.length, each.node === chosen);
  }
}

function placeOf(at) {
  if (order.length === 1) return [CENTER, CENTER];
  const angle = (at / order.length) * 2 * Math.PI - Math.PI / 2;
  return [CENTER + RADIUS * Math.cos(angle), CENTER + RADIUS * Math.sin(angle)];
}

function linesOf(nodes, places) {
  const made = [];
  const seen = new Set();
  for (const [from, { node, sessions = [] }] of nodes.entries()) {
    for (const [to, isStalled, waiting, bytesIn, bytesOut] of sessions) {
      const other = nodes[to];
      const key = Math.min(from, to) * nodes.length + Math.max(from, to);
      if (other === undefined || seen.has(key)) continue;
      seen.add(key);
      const back = other.sessions?.find(([at]) => at === from);
      const waits = waiting + (back?.[2] ?? 0);
      const [[x1, y1], [x2, y2]] = [places.get(node), places.get(other.node)];
      const rate = (bytesIn ?? 0) + (bytesOut ?? 0);
      const line = svg('line', {
        x1,
        y1,
        x2,
        y2,
        'stroke-width': Math.min(7, 0.7 + Math.log10(1 + rate / 500)).toFixed(1),
        class: isStalled || back?.[1] ? 'bad' : waits > 1e6 ? 'warn' : '',
      });
      line.append(svg('title', {}, `${node} - ${other.node}: ${bytes(rate)}/s, ${bytes(waits)} waiting`));
      made.push(line);
    }
  }
  return made;
}

function newDot(node, choose) {
  const dot = svg('g', { role: 'button' });
  dot.append(
    svg('title'),
    svg('circle', { class: 'ring' }),
    svg('circle', { class: 'disc' }),
    svg('text', { 'text-anchor': 'middle' }),
  );
  dot.addEventListener('click', () => choose(node));
  dot.addEventListener('focus', () => setTabStop(node));
  dot.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' || event.key === ' ') choose(node);
    else if (!move(node, event.key)) return;
    event.preventDefault();
  });
  return dot;
}

/** Moves the focus, if the key is one that moves it. Returns whether it is. */
function move(node, key) {
  const at = order.indexOf(node);
  const to = {
    ArrowRight: at + 1,
    ArrowDown: at + 1,
    ArrowLeft: at - 1,
    ArrowUp: at - 1,
    Home: 0,
    End: -1,
  }[key];
  if (to === undefined) return false;
  dots.get(order.at(to % order.length))?.focus();
  return true;
}

function setTabStop(node) {
  dots.get(tabStop)?.setAttribute('tabindex', '-1');
  tabStop = node;
  dots.get(tabStop)?.setAttribute('tabindex', '0');
}

function draw(dot, { node, level, words }, [x, y], count, isChosen) {
  const [title, ring, disc, label] = dot.children;
  const radius = count > MANY ? 9 : 14;
  set(dot, {
    class: `dot ${level}${isChosen ? ' chosen' : ''}`,
    tabindex: node === tabStop ? '0' : '-1',
    'aria-label': `${node}: ${words}`,
    'aria-pressed': String(isChosen),
  });
  title.textContent = `${node}: ${words}`;
  set(ring, { cx: x, cy: y, r: radius + 6 });
  set(disc, { cx: x, cy: y, r: radius });
  const name = count <= MANY || level === 'bad' ? node.split('@')[0].slice(0, 14) : '';
  const line = lineOf(name, x, y);
  set(label, { x, y: line ?? y });
  label.textContent = line === undefined ? '' : name;
}

/** Where a label is drawn so that it hides no other one: beside its dot, or further away. Undefined: nowhere. */
function lineOf(name, x, y) {
  const width = name.length * CHARACTER;
  for (let step = 0; step < MOST_STEPS; step++) {
    const away = (step * LINE) / 2;
    const at = y < CENTER ? y - 27 - away : y + 35 + away;
    const isFree = labels.every(
      (other) => Math.abs(at - other.y) >= LINE || Math.abs(x - other.x) >= (width + other.width) / 2,
    );
    if (!isFree || at < TOP || at > BOTTOM) continue;
    labels.push({ x, y: at, width });
    return at;
  }
  return undefined;
}

function set(target, attributes) {
  for (const [name, value] of Object.entries(attributes)) target.setAttribute(name, value);
}
