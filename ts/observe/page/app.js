// The observer page: receives the events of the server, shows them, and requests what the viewer selects.
import { showLost, showNodes, showSums, showUnhealthy } from './cluster.js';
import { $, element } from './format.js';
import { healthOf } from './health.js';
import { pauseLog, showLog } from './log.js';
import { showMap } from './map.js';
import { clearCharts, showFacts, showTotals } from './selected-node.js';
import { showTable, TABLES } from './tables.js';

const selection = { node: undefined, table: 'actors', by: 'mailbox' };
/** The last event about the cluster. */
let cluster;
let source;
let isPaused = false;
/** Whether the selected table has not come yet: the first one is shown also while the page is paused. */
let isDue = true;
/** The text and the kind of the status, when the page is not paused. */
let connection = ['connecting …', ''];
/** The previous figures of each node, for rates. */
const before = new Map();

/** Connects to the server, with the current selection. */
function open() {
  source?.close();
  isDue = true;
  const query = new URLSearchParams({ table: selection.table, by: selection.by });
  if (selection.node !== undefined) query.set('node', selection.node);
  source = new EventSource(`events?${query}`);
  source.addEventListener('open', () => status('live', 'live'));
  source.addEventListener('error', () => status('the observer does not answer; trying again …', 'bad'));
  source.addEventListener('cluster', ({ data }) => isPaused || showCluster(JSON.parse(data)));
  source.addEventListener('node', ({ data }) => (isPaused && !isDue) || showNode(JSON.parse(data)));
  source.addEventListener('log', ({ data }) => showLog(JSON.parse(data)));
}

function status(...now) {
  connection = now;
  showStatus();
}

function showStatus() {
  const [text, kind] = isPaused ? ['paused', 'warn'] : connection;
  $('status').textContent = text;
  $('status').className = kind;
}

function showCluster(view) {
  cluster = view;
  selection.node ??= view.root;
  const stalled = new Set(view.nodes.flatMap(({ overview }) => overview?.stalledPeers ?? []));
  const nodes = view.nodes.map((each) => {
    const [level, words] = healthOf(each, stalled, before.get(each.node));
    return { ...each, level, words, ...traffic(each) };
  });
  showUnhealthy(nodes, choose);
  showSums(nodes, view.omitted);
  showMap(nodes, selection.node, choose);
  showNodes(nodes, selection.node, choose);
  showLost(nodes);
  const selected = nodes.find(({ node }) => node === selection.node);
  showFacts(selection.node, selected, view.at, before.get(selection.node));
  for (const { node, overview } of nodes)
    if (overview) before.set(node, { at: view.at, cpuMs: overview.cpuMs, deadLetters: overview.deadLetters });
  const unhealthy = nodes.filter(({ level }) => level === 'bad').length;
  document.title = unhealthy === 0 ? 'snowmesh observer' : `(${unhealthy}) snowmesh observer`;
}

/** Bytes per second of all connections of a node; empty while unknown. */
function traffic({ sessions }) {
  if (sessions === undefined || sessions.some(([, , , bytesIn]) => bytesIn === null)) return {};
  const total = (column) => sessions.reduce((all, session) => all + session[column], 0);
  return { bytesIn: total(3), bytesOut: total(4) };
}

/** Selects a node. */
function choose(node) {
  if (node === selection.node) return;
  selection.node = node;
  clearCharts();
  $('table').replaceChildren();
  if (cluster) showCluster(cluster);
  open();
}

function showNode({ node, table, totals, rows, problem }) {
  if (node !== selection.node || table !== selection.table) return;
  isDue = false;
  showTotals(problem === undefined ? totals : undefined);
  if (problem === undefined) showTable(table, rows);
  else $('table').replaceChildren(element('p', 'bad', problem));
}

for (const [table, title] of Object.entries(TABLES)) {
  const button = element('button', '', title);
  button.type = 'button';
  button.addEventListener('click', () => {
    selection.table = table;
    markTab();
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

/** Marks the tab of the selected table. */
function markTab() {
  for (const button of $('tabs').querySelectorAll('button'))
    button.setAttribute('aria-pressed', String(button.dataset.table === selection.table));
  order.hidden = selection.table !== 'actors';
  $('table').setAttribute('aria-label', TABLES[selection.table]);
}

$('pause').addEventListener('click', () => {
  isPaused = !isPaused;
  $('pause').setAttribute('aria-pressed', String(isPaused));
  $('pause').textContent = isPaused ? 'Resume' : 'Pause';
  showStatus();
  pauseLog(isPaused);
});

markTab();
open();
