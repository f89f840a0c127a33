// The tables of the selected node. Tabs select one of them.
import { $, age, bytes, count, element } from './format.js';

/** The tables, with their titles. */
export const TABLES = {
  actors: 'Actors',
  tree: 'Supervision',
  sessions: 'Connections',
  names: 'Names',
  globalNames: 'Global names',
  groups: 'Groups',
  rooms: 'Rooms',
};

/** Shows the rows of a table. */
export function showTable(table, rows) {
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
    heads: ['PID', 'Name or label', 'Mailbox', 'Turns', 'Memory', 'State'],
    row: ({ pid, name, label, state, mailbox, turns, memory }) => [
      pid,
      name === undefined || name === label ? label : `${name} (${label})`,
      mailbox,
      turns,
      bytes(memory),
      state,
    ],
  },
  sessions: {
    heads: ['Peer', 'State', 'In / s', 'Out / s', 'Frames in / s', 'Frames out / s', 'Waiting', 'Silent for'],
    row: ({ node, hidden, stalled, rates, waiting, silentMs }) => [
      node,
      stalled ? 'stalled' : hidden ? 'up, hidden' : 'up',
      rates ? bytes(rates.bytesIn) : '-',
      rates ? bytes(rates.bytesOut) : '-',
      rates ? rates.framesIn : '-',
      rates ? rates.framesOut : '-',
      bytes(waiting),
      age(silentMs),
    ],
  },
  names: { heads: ['Name', 'PID'], row: ({ name, pid }) => [name, pid] },
  globalNames: { heads: ['Name', 'PID'], row: ({ name, pid }) => [name, pid] },
  groups: {
    heads: ['Group', 'Scope', 'Members', 'On this node'],
    row: ({ group, scope, members, localMembers }) => [group, scope ?? '', members, localMembers],
  },
  rooms: {
    heads: ['Room', 'Members', 'On this node', 'Messages kept'],
    row: ({ room, members, localMembers, kept }) => [room, members, localMembers, kept],
  },
};

/** The branches of the tree that the viewer has closed. */
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
  for (const {
    id,
    pid,
    label,
    type,
    restart,
    restarts,
    state,
    node,
    mailbox,
    children,
    omitted: more,
  } of nodes) {
    const path = `${above}/${id}`;
    const words = [
      label && label !== id ? label : '',
      restart && restart !== 'permanent' ? restart : '',
      state === 'running' ? '' : state,
      restarts > 0 ? `restarts: ${count(restarts)}` : '',
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
