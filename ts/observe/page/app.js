// The observer page: shows the events that the server sends.
import { Chart } from './charts.js';
import { $, age, amount, bytes, count, element, time } from './format.js';
import { showMap } from './map.js';
import { showTable, TABLES } from './tables.js';

/** Delays from which an event loop counts as late, and as very late. */
const LATE_MS = 50;
const VERY_LATE_MS = 500;

const selection = { node: undefined, table: 'actors', by: 'mailbox' };
let cluster;
let source;
let isPaused = false;
/** The previous data of each node, for rates. */
const before = new Map();
const known = new Map();

const charts = {
  mailbox: new Chart('Mailboxes', count),
  turns: new Chart('Messages taken / s', count),
  loop: new Chart('Event loop late', (ms) => `${ms.toFixed(1)} ms`),
  cpu: new Chart('Processor', (share) => `${Math.round(share * 100)} %`),
  heap: new Chart('Memory', bytes),
  in: new Chart('In / s', bytes),
  out: new Chart('Out / s', bytes),
};
for (const chart of Object.values(charts)) $('charts').append(chart.element);

function open() {
  source?.close();
  const query = new URLSearchParams({ table: selection.table, by: selection.by });
  if (selection.node !== undefined) query.set('node', selection.node);
  source = new EventSource(`events?${query}`);
  source.addEventListener('open', () => status('live', 'live'));
  source.addEventListener('error', () => status('the observer does not answer; trying again …', 'bad'));
  source.addEventListener('cluster', ({ data }) => isPaused || showCluster(JSON.parse(data)));
  source.addEventListener('node', ({ data }) => isPaused || showNode(JSON.parse(data)));
  source.addEventListener('log', ({ data }) => showLog(JSON.parse(data)));
}

function status(text, kind) {
  $('status').textContent = text;
  $('status').className = kind;
}

/** The health of a node: [level, words]. */
function judge(view, stalled) {
  const { state, overview } = view;
  if (state === 'lost') return ['bad', 'lost: there is no connection to it'];
  if (stalled.has(view.node)) return ['bad', 'stalled: its event loop is blocked'];
  if (state === 'silent') return ['bad', 'does not answer'];
  if (state === 'off') return ['unknown', 'answers no questions'];
  if (overview === undefined) return ['unknown', 'has not answered yet'];
  const words = [];
  let level = 'good';
  const late = overview.loopDelay?.p99 ?? 0;
  if (late > LATE_MS) {
    level = late > VERY_LATE_MS ? 'bad' : 'warn';
    words.push(`event loop ${Math.round(late)} ms late`);
  }
  const lost = sum(overview.deadLetters) - sum(before.get(view.node)?.deadLetters ?? overview.deadLetters);
  if (lost > 0) {
    if (level === 'good') level = 'warn';
    words.push(`${amount(lost, 'message')} lost`);
  }
  if (overview.isStopping) {
    if (level === 'good') level = 'warn';
    words.push('stopping');
  }
  return [level, words.join(', ') || 'well'];
}

const sum = (counts) => Object.values(counts).reduce((total, each) => total + each, 0);

function showCluster(view) {
  cluster = view;
  selection.node ??= view.root;
  const stalled = new Set(view.nodes.flatMap(({ overview }) => overview?.stalledPeers ?? []));
  const nodes = view.nodes.map((each) => {
    const [level, words] = judge(each, stalled);
    return { ...each, level, words, ...traffic(each) };
  });
  showSick(nodes);
  showSums(nodes, view.omitted);
  showMap(nodes, selection.node, choose);
  showNodes(nodes);
  showLost(nodes);
  showFacts(
    nodes.find(({ node }) => node === selection.node),
    view.at,
  );
  for (const { node, overview } of nodes)
    if (overview) before.set(node, { at: view.at, cpuMs: overview.cpuMs, deadLetters: overview.deadLetters });
  const sick = nodes.filter(({ level }) => level === 'bad').length;
  document.title = sick === 0 ? 'snowmesh observer' : `(${sick}) snowmesh observer`;
}

/** Bytes per second of all connections of a node; undefined while unknown. */
function traffic({ lines }) {
  if (lines === undefined || lines.some(([, , , bytesIn]) => bytesIn === null)) return {};
  const total = (column) => lines.reduce((all, line) => all + line[column], 0);
  return { bytesIn: total(3), bytesOut: total(4) };
}

/** `n2` before `n10`. */
const byName = new Intl.Collator('en', { numeric: true }).compare;

const LEVELS = ['bad', 'warn', 'unknown', 'good'];

/** Lists all nodes with a problem in one place. */
function showSick(nodes) {
  const sick = nodes.filter(({ level }) => level === 'bad' || level === 'warn').sort(bySickness);
  const shown = sick.slice(0, 8).map(({ node, level, words }) => {
    const button = element('button', level, element('b', '', node), ` ${words}`);
    button.type = 'button';
    button.addEventListener('click', () => choose(node));
    return button;
  });
  const key = shown.map(({ className, textContent }) => className + textContent).join('\n');
  if ($('sick').dataset.key === `${key} ${sick.length}`) return;
  $('sick').dataset.key = `${key} ${sick.length}`;
  const rest = sick.length - shown.length;
  $('sick').replaceChildren(
    ...(sick.length === 0 ? [element('p', 'good', 'All nodes are well.')] : shown),
    rest > 0 ? element('p', '', `and ${rest} more`) : '',
  );
}

function bySickness(one, other) {
  return LEVELS.indexOf(one.level) - LEVELS.indexOf(other.level) || byName(one.node, other.node);
}

function showSums(nodes, omitted) {
  const up = nodes.filter(({ overview }) => overview);
  const sick = nodes.filter(({ level }) => level === 'bad').length;
  const rows = [
    ['Nodes', `${nodes.length}${omitted ? ` + ${omitted}` : ''}`],
    ['Sick', String(sick), sick > 0 ? 'bad' : 'good'],
    ['Actors', count(up.reduce((all, { overview }) => all + overview.actors, 0))],
    ['Between nodes', `${bytes(up.reduce((all, { bytesOut }) => all + (bytesOut ?? 0), 0))}/s`],
    ['Lost messages', count(up.reduce((all, { overview }) => all + sum(overview.deadLetters), 0))],
  ];
  $('sums').replaceChildren(
    ...rows.map(([name, value, kind]) =>
      element('div', '', element('dt', '', name), element('dd', kind, value)),
    ),
  );
}

/** Kept from one round to the next, so that the focus stays where it is. */
function showNodes(nodes) {
  for (const [name, { button }] of known) {
    if (nodes.some(({ node }) => node === name)) continue;
    button.remove();
    known.delete(name);
  }
  nodes.toSorted(bySickness).forEach(({ node, level, words, overview }, at) => {
    let entry = known.get(node);
    if (entry === undefined) {
      const button = element('button');
      button.type = 'button';
      button.addEventListener('click', () => choose(node));
      entry = { button };
      known.set(node, entry);
    }
    const { button } = entry;
    button.className = level;
    button.setAttribute('aria-pressed', String(node === selection.node));
    const figures = overview ? `${amount(overview.actors, 'actor')}, ${bytes(overview.memory.rss)}` : '';
    button.replaceChildren(
      element('b', '', node),
      element('span', 'words', words),
      element('small', '', figures),
    );
    if ($('nodes').children[at] !== button) $('nodes').insertBefore(button, $('nodes').children[at] ?? null);
  });
}

function choose(node) {
  if (node === selection.node) return;
  selection.node = node;
  for (const chart of Object.values(charts)) chart.clear();
  lastTurns = undefined;
  $('table').replaceChildren();
  if (cluster) showCluster(cluster);
  open();
}

function showFacts(view, at) {
  $('node-title').textContent = selection.node;
  const { overview } = view ?? {};
  if (overview === undefined) {
    $('facts').textContent = view?.words ?? 'It is not known any more.';
    return;
  }
  const { version, platform, osPid, uptimeMs, actors, supervisors, names, peers, memory, loopDelay, cpuMs } =
    overview;
  $('facts').textContent =
    `snowmesh ${version} on ${platform}, process ${osPid}, up ${age(uptimeMs)}; ${amount(actors, 'actor')}, ${amount(supervisors, 'supervisor')}, ${amount(names, 'local name')}, ${amount(peers, 'peer')}`;
  charts.loop.push(loopDelay?.p99);
  const then = before.get(selection.node);
  charts.cpu.push(then && at > then.at ? Math.max(0, (cpuMs - then.cpuMs) / (at - then.at)) : undefined);
  charts.heap.push(memory.rss);
  charts.in.push(view.bytesIn);
  charts.out.push(view.bytesOut);
}

let lastTurns;

function showNode({ node, table, totals, rows, problem }) {
  if (node !== selection.node || table !== selection.table) return;
  if (problem !== undefined) {
    $('table').replaceChildren(element('p', 'bad', problem));
    charts.mailbox.push(undefined);
    charts.turns.push(undefined);
    return;
  }
  const at = performance.now();
  charts.mailbox.push(totals.mailbox);
  charts.turns.push(
    lastTurns && Math.max(0, ((totals.turns - lastTurns.turns) * 1000) / (at - lastTurns.at)),
  );
  lastTurns = { at, turns: totals.turns };
  showTable(table, rows);
}

function showLost(nodes) {
  const reasons = new Map();
  for (const { node, overview } of nodes)
    for (const [reason, lost] of Object.entries(overview?.deadLetters ?? {}))
      if (lost > 0) reasons.set(reason, [...(reasons.get(reason) ?? []), [node, lost]]);
  if (reasons.size === 0) return $('lost').replaceChildren(element('p', 'none', 'None.'));
  const rows = [...reasons].map(([reason, where]) => [
    reason,
    where.reduce((all, [, lost]) => all + lost, 0),
    where
      .sort((a, b) => b[1] - a[1])
      .slice(0, 3)
      .map(([node, lost]) => `${node.split('@')[0]} ${count(lost)}`)
      .join(', '),
  ]);
  rows.sort((a, b) => b[1] - a[1]);
  $('lost').replaceChildren(
    element(
      'table',
      '',
      element(
        'tbody',
        '',
        ...rows.map(([reason, lost, where]) =>
          element(
            'tr',
            '',
            element('td', '', reason),
            element('td', 'figure', count(lost)),
            element('td', 'where', where),
          ),
        ),
      ),
    ),
  );
}

let lastId = 0;
const NONE = element('li', 'none', 'None yet.');
$('log').append(NONE);

/** Kinds of events for which a repeated event replaces its line. */
const FOLDED = new Set(['crash', 'unreachable', 'refuse']);
/** The lines of these events, by their text. */
const repeated = new Map();

function showLog(entries) {
  for (const { id, at, kind, node, text, stack, times } of entries) {
    if (id <= lastId) continue;
    lastId = id;
    NONE.remove();
    const line = element(
      'li',
      kind,
      element('time', '', time(at)),
      element('b', '', times > 1 ? `${kind} ×${count(times)}` : kind),
      element('span', '', kind === 'crash' ? `${node}: ${text}` : text, stack ? details(stack) : ''),
    );
    if (FOLDED.has(kind)) {
      const key = `${kind} ${node} ${kind === 'crash' ? text.replace(/<[\d.]+>/, '') : text}`;
      repeated.get(key)?.remove();
      repeated.set(key, line);
    }
    $('log').prepend(line);
  }
  while ($('log').children.length > 200) $('log').lastChild.remove();
  for (const [key, line] of repeated) if (!line.isConnected) repeated.delete(key);
}

function details(stack) {
  return element('details', '', element('summary', '', 'stack'), element('pre', '', stack));
}

for (const [table, title] of Object.entries(TABLES)) {
  const button = element('button', '', title);
  button.type = 'button';
  button.addEventListener('click', () => {
    selection.table = table;
    mark();
    $('table').replaceChildren();
    open();
  });
  button.dataset.table = table;
  $('tabs').append(button);
}
const order = element('select');
order.setAttribute('aria-label', 'Actors with the most');
for (const by of ['mailbox', 'turns', 'memory']) order.append(element('option', '', by));
order.addEventListener('change', () => {
  selection.by = order.value;
  open();
});
$('tabs').append(order);

function mark() {
  for (const button of $('tabs').querySelectorAll('button'))
    button.setAttribute('aria-pressed', String(button.dataset.table === selection.table));
  order.hidden = selection.table !== 'actors';
  $('table').setAttribute('aria-label', TABLES[selection.table]);
}

$('pause').addEventListener('click', () => {
  isPaused = !isPaused;
  $('pause').setAttribute('aria-pressed', String(isPaused));
  $('pause').textContent = isPaused ? 'Go on' : 'Pause';
  status(isPaused ? 'paused' : 'live', isPaused ? 'warn' : 'live');
});

mark();
open();
