// The observer page: shows what the server tells it.
import { Chart, svg } from './charts.js';

const $ = (id) => document.getElementById(id);
const element = (name, className, ...children) => {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...children.map((child) => child ?? ''));
  return made;
};

const bytes = (n) =>
  n < 1024
    ? `${Math.round(n)} B`
    : n < 1024 ** 2
      ? `${(n / 1024).toFixed(1)} KiB`
      : n < 1024 ** 3
        ? `${(n / 1024 ** 2).toFixed(1)} MiB`
        : `${(n / 1024 ** 3).toFixed(2)} GiB`;
const count = (n) =>
  n < 10_000 ? String(Math.round(n)) : n < 1e6 ? `${(n / 1000).toFixed(1)}k` : `${(n / 1e6).toFixed(1)}M`;
const age = (ms) => {
  const s = Math.floor(ms / 1000);
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  return s < 86_400
    ? `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`
    : `${Math.floor(s / 86_400)} d`;
};
const time = (at) => new Date(at).toLocaleTimeString();

const TABLES = {
  actors: 'Actors',
  tree: 'Supervision',
  sessions: 'Connections',
  names: 'Names',
  globalNames: 'Global names',
  groups: 'Groups',
  rooms: 'Rooms',
};
/** Above these an event loop is late, or very late. Unit: ms. */
const LATE_MS = 50;
const VERY_LATE_MS = 500;

const wish = { node: undefined, table: 'actors', by: 'mailbox' };
let cluster;
let source;
let isPaused = false;
/** What each node said before: for rates. */
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
  const query = new URLSearchParams({ table: wish.table, by: wish.by });
  if (wish.node !== undefined) query.set('node', wish.node);
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

/** How a node is: [level, words]. */
function judge(sight, stalled) {
  const { state, overview } = sight;
  if (state === 'lost') return ['bad', 'lost'];
  if (stalled.has(sight.node)) return ['bad', 'stalled: its event loop stands still'];
  if (state === 'silent') return ['bad', 'does not answer'];
  if (state === 'off') return ['unknown', 'answers no questions'];
  const words = [];
  let level = 'good';
  const late = overview.loopDelay?.p99 ?? 0;
  if (late > LATE_MS) {
    level = late > VERY_LATE_MS ? 'bad' : 'warn';
    words.push(`event loop ${Math.round(late)} ms late`);
  }
  const lost = sum(overview.deadLetters) - sum(before.get(sight.node)?.deadLetters ?? overview.deadLetters);
  if (lost > 0) {
    if (level === 'good') level = 'warn';
    words.push(`${count(lost)} messages lost`);
  }
  if (overview.isStopping) {
    if (level === 'good') level = 'warn';
    words.push('stopping');
  }
  return [level, words.join(', ') || 'well'];
}

const sum = (counts) => Object.values(counts).reduce((total, each) => total + each, 0);

function showCluster(sight) {
  cluster = sight;
  wish.node ??= sight.root;
  const stalled = new Set(sight.nodes.flatMap(({ overview }) => overview?.stalledPeers ?? []));
  const nodes = sight.nodes.map((each) => {
    const [level, words] = judge(each, stalled);
    return { ...each, level, words };
  });
  showSums(nodes, sight.omitted);
  showMap(nodes);
  showNodes(nodes);
  showLost(nodes);
  showFacts(
    nodes.find(({ node }) => node === wish.node),
    sight.at,
  );
  for (const { node, overview } of nodes)
    if (overview)
      before.set(node, { at: sight.at, cpuMs: overview.cpuMs, deadLetters: overview.deadLetters });
  const sick = nodes.filter(({ level }) => level === 'bad').length;
  document.title = sick === 0 ? 'snowmesh observer' : `(${sick}) snowmesh observer`;
}

function showSums(nodes, omitted) {
  const up = nodes.filter(({ overview }) => overview);
  const rates = up.flatMap(({ sessions = [] }) => sessions.map(({ rates }) => rates?.bytesOut ?? 0));
  const sick = nodes.filter(({ level }) => level === 'bad').length;
  const rows = [
    ['Nodes', `${nodes.length}${omitted ? ` + ${omitted}` : ''}`],
    ['Sick', String(sick), sick > 0 ? 'bad' : 'good'],
    ['Actors', count(up.reduce((all, { overview }) => all + overview.actors, 0))],
    ['Between nodes', `${bytes(rates.reduce((all, each) => all + each, 0))}/s`],
    ['Lost messages', count(up.reduce((all, { overview }) => all + sum(overview.deadLetters), 0))],
  ];
  $('sums').replaceChildren(
    ...rows.map(([name, value, kind]) =>
      element('div', '', element('dt', '', name), element('dd', kind, value)),
    ),
  );
}

function showMap(nodes) {
  const places = new Map();
  nodes.forEach(({ node }, at) => {
    const angle = (at / nodes.length) * 2 * Math.PI - Math.PI / 2;
    places.set(
      node,
      nodes.length === 1 ? [200, 200] : [200 + 150 * Math.cos(angle), 200 + 150 * Math.sin(angle)],
    );
  });
  const lines = [];
  const seen = new Set();
  for (const { node, sessions = [] } of nodes) {
    for (const session of sessions) {
      const key = [node, session.node].sort().join(' ');
      if (!places.has(session.node) || seen.has(key)) continue;
      seen.add(key);
      const [[x1, y1], [x2, y2]] = [places.get(node), places.get(session.node)];
      const rate = (session.rates?.bytesIn ?? 0) + (session.rates?.bytesOut ?? 0);
      const width = Math.min(7, 0.7 + Math.log10(1 + rate / 500)).toFixed(1);
      const line = svg('line', {
        x1,
        y1,
        x2,
        y2,
        'stroke-width': width,
        class: session.stalled ? 'bad' : session.waiting > 1e6 ? 'warn' : '',
      });
      line.append(
        svg('title', {}, `${node} - ${session.node}: ${bytes(rate)}/s, ${bytes(session.waiting)} waiting`),
      );
      lines.push(line);
    }
  }
  const radius = nodes.length > 20 ? 9 : 14;
  const dots = nodes.map(({ node, level, words }) => {
    const [x, y] = places.get(node);
    const group = svg('g', { class: `dot ${level}${node === wish.node ? ' chosen' : ''}` });
    group.append(svg('title', {}, `${node}: ${words}`), svg('circle', { cx: x, cy: y, r: radius }));
    if (nodes.length <= 20) {
      const label = svg('text', { x, y: y + (y < 200 ? -22 : 30), 'text-anchor': 'middle' });
      label.textContent = node.split('@')[0].slice(0, 14);
      group.append(label);
    }
    group.addEventListener('click', () => choose(node));
    return group;
  });
  $('map').replaceChildren(...lines, ...dots);
}

/** Kept from one round to the next, so that the focus stays where it is. */
function showNodes(nodes) {
  for (const [name, { button }] of known) {
    if (nodes.some(({ node }) => node === name)) continue;
    button.remove();
    known.delete(name);
  }
  nodes.forEach(({ node, level, words, overview }, at) => {
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
    button.setAttribute('aria-pressed', String(node === wish.node));
    const figures = overview ? `${count(overview.actors)} actors, ${bytes(overview.memory.rss)}` : '';
    button.replaceChildren(
      element('b', '', node),
      element('span', 'words', words),
      element('small', '', figures),
    );
    if ($('nodes').children[at] !== button) $('nodes').insertBefore(button, $('nodes').children[at] ?? null);
  });
}

function choose(node) {
  if (node === wish.node) return;
  wish.node = node;
  for (const chart of Object.values(charts)) chart.clear();
  lastTurns = undefined;
  $('table').replaceChildren();
  if (cluster) showCluster(cluster);
  open();
}

function showFacts(sight, at) {
  $('node-title').textContent = wish.node;
  const { overview, sessions = [] } = sight ?? {};
  if (overview === undefined) {
    $('facts').textContent = sight?.words ?? 'It is not known any more.';
    return;
  }
  const { version, platform, osPid, uptimeMs, actors, supervisors, names, peers, memory, loopDelay, cpuMs } =
    overview;
  $('facts').textContent =
    `snowmesh ${version} on ${platform}, process ${osPid}, up ${age(uptimeMs)}; ${count(actors)} actors, ${supervisors} supervisors, ${names} local names, ${peers} peers`;
  charts.loop.push(loopDelay?.p99);
  const then = before.get(wish.node);
  charts.cpu.push(then && at > then.at ? Math.max(0, (cpuMs - then.cpuMs) / (at - then.at)) : undefined);
  charts.heap.push(memory.rss);
  const rates = sessions.map((each) => each.rates).filter(Boolean);
  const isKnown = rates.length > 0 || sessions.length === 0;
  charts.in.push(isKnown ? rates.reduce((all, each) => all + each.bytesIn, 0) : undefined);
  charts.out.push(isKnown ? rates.reduce((all, each) => all + each.bytesOut, 0) : undefined);
}

let lastTurns;

function showNode({ node, table, totals, rows, problem }) {
  if (node !== wish.node || table !== wish.table) return;
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
  if (table === 'tree') return showTree(rows);
  const { heads, row } = VIEWS[table];
  const items = rows.items ?? rows;
  if (items.length === 0)
    return $('table').replaceChildren(element('p', 'none', `No ${TABLES[table].toLowerCase()}.`));
  const head = element('tr', '', ...heads.map((each) => element('th', '', each)));
  const body = items.map((item) =>
    element(
      'tr',
      '',
      ...row(item).map((cell) =>
        element(
          'td',
          typeof cell === 'number' ? 'figure' : '',
          typeof cell === 'number' ? count(cell) : cell,
        ),
      ),
    ),
  );
  const made = element('table', '', element('thead', '', head), element('tbody', '', ...body));
  $('table').replaceChildren(
    made,
    rows.total > items.length ? element('p', 'none', `${items.length} of ${rows.total}`) : '',
  );
}

const VIEWS = {
  actors: {
    heads: ['PID', 'Name or label', 'State', 'Mailbox', 'Turns', 'Memory'],
    row: ({ pid, name, label, state, mailbox, turns, memory }) => [
      pid,
      name === undefined || name === label ? label : `${name} (${label})`,
      state,
      mailbox,
      turns,
      bytes(memory),
    ],
  },
  sessions: {
    heads: ['Peer', 'State', 'In / s', 'Out / s', 'Waiting', 'Silent for'],
    row: ({ node, hidden, stalled, rates, waiting, silentMs }) => [
      node,
      stalled ? 'stalled' : hidden ? 'up, hidden' : 'up',
      rates ? bytes(rates.bytesIn) : '-',
      rates ? bytes(rates.bytesOut) : '-',
      bytes(waiting),
      age(silentMs),
    ],
  },
  names: { heads: ['Name', 'PID'], row: ({ name, pid }) => [name, pid] },
  globalNames: { heads: ['Name', 'PID'], row: ({ name, pid }) => [name, pid] },
  groups: {
    heads: ['Group', 'Scope', 'Members', 'Of this node'],
    row: ({ group, scope, members, localMembers }) => [group, scope ?? '', members, localMembers],
  },
  rooms: {
    heads: ['Room', 'Members', 'Of this node', 'Messages kept'],
    row: ({ room, members, localMembers, kept }) => [room, members, localMembers, kept],
  },
};

/** Branches that the viewer has closed. */
const closed = new Set();

function showTree({ roots, omitted }) {
  if (roots.length === 0) return $('table').replaceChildren(element('p', 'none', 'No supervisors.'));
  const active = document.activeElement?.dataset?.path;
  $('table').replaceChildren(branch(roots, omitted, ''));
  if (active !== undefined)
    $('table')
      .querySelector(`[data-path="${CSS.escape(active)}"]`)
      ?.focus();
}

function branch(nodes, omitted, above) {
  const list = element('ul', 'tree');
  for (const { id, pid, label, type, restart, state, node, mailbox, children, omitted: more } of nodes) {
    const path = `${above}/${id}`;
    const words = [
      label && label !== id ? label : '',
      restart && restart !== 'permanent' ? restart : '',
      state === 'running' ? '' : state,
      node ? `on ${node}` : '',
      mailbox > 0 ? `${count(mailbox)} waiting` : '',
    ];
    const line = element(
      'span',
      state === 'running' ? '' : 'bad',
      element('b', '', id),
      ' ',
      element('code', '', pid ?? ''),
      ' ',
      words.filter(Boolean).join(', '),
    );
    if (type !== 'supervisor' || children.length === 0) list.append(element('li', '', line));
    else {
      const summary = element('summary', '', line);
      summary.dataset.path = path;
      const details = element('details', '', summary, branch(children, more, path));
      details.open = !closed.has(path);
      details.addEventListener('toggle', () => (details.open ? closed.delete(path) : closed.add(path)));
      list.append(element('li', '', details));
    }
  }
  if (omitted > 0) list.append(element('li', 'none', `${omitted} more`));
  return list;
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

function showLog(entries) {
  for (const { id, at, kind, text } of entries) {
    if (id <= lastId) continue;
    lastId = id;
    NONE.remove();
    $('log').prepend(
      element('li', kind, element('time', '', time(at)), element('b', '', kind), element('span', '', text)),
    );
  }
  while ($('log').children.length > 200) $('log').lastChild.remove();
}

for (const [table, title] of Object.entries(TABLES)) {
  const button = element('button', '', title);
  button.type = 'button';
  button.addEventListener('click', () => {
    wish.table = table;
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
  wish.by = order.value;
  open();
});
$('tabs').append(order);

function mark() {
  for (const button of $('tabs').querySelectorAll('button'))
    button.setAttribute('aria-pressed', String(button.dataset.table === wish.table));
  order.hidden = wish.table !== 'actors';
  $('table').setAttribute('aria-label', TABLES[wish.table]);
}

$('pause').addEventListener('click', () => {
  isPaused = !isPaused;
  $('pause').setAttribute('aria-pressed', String(isPaused));
  $('pause').textContent = isPaused ? 'Go on' : 'Pause';
  status(isPaused ? 'paused' : 'live', isPaused ? 'warn' : 'live');
});

mark();
open();
