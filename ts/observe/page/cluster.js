// The cluster: its figures, the nodes with a problem, the list of all nodes, and the lost messages.
import { $, amount, bytes, count, element } from './format.js';
import { compareHealth, totalOf } from './health.js';

/** Most nodes in the list of those with a problem. */
const MAX_UNHEALTHY = 8;
/** Most nodes that are named for one reason of lost messages. */
const MAX_NODES_OF_REASON = 3;

/** The buttons of the nodes, kept from one update to the next so that the focus stays where it is. */
const buttons = new Map();

export function showSums(nodes, omitted) {
  const answered = nodes.filter(({ overview }) => overview);
  const unhealthy = nodes.filter(({ level }) => level === 'bad').length;
  const rows = [
    ['Nodes', `${nodes.length}${omitted ? ` + ${omitted}` : ''}`],
    ['Unhealthy', String(unhealthy), unhealthy > 0 ? 'bad' : 'good'],
    ['Actors', count(answered.reduce((all, { overview }) => all + overview.actors, 0))],
    ['Between nodes', `${bytes(answered.reduce((all, { bytesOut }) => all + (bytesOut ?? 0), 0))}/s`],
    ['Lost messages', count(answered.reduce((all, { overview }) => all + totalOf(overview.deadLetters), 0))],
  ];
  $('sums').replaceChildren(
    ...rows.map(([name, value, kind]) =>
      element('div', '', element('dt', '', name), element('dd', kind, value)),
    ),
  );
}

/** Lists the nodes with a problem. A click on one calls `choose`. */
export function showUnhealthy(nodes, choose) {
  const unhealthy = nodes.filter(({ level }) => level === 'bad' || level === 'warn').sort(compareHealth);
  const shown = unhealthy.slice(0, MAX_UNHEALTHY).map(({ node, level, words }) => {
    const button = element('button', level, element('b', '', node), ` ${words}`);
    button.type = 'button';
    button.addEventListener('click', () => choose(node));
    return button;
  });
  const key = shown.map(({ className, textContent }) => className + textContent).join('\n');
  if ($('unhealthy').dataset.key === `${key} ${unhealthy.length}`) return;
  $('unhealthy').dataset.key = `${key} ${unhealthy.length}`;
  const rest = unhealthy.length - shown.length;
  $('unhealthy').replaceChildren(
    ...(unhealthy.length === 0 ? [element('p', 'good', 'All nodes are healthy.')] : shown),
    rest > 0 ? element('p', '', `and ${rest} more`) : '',
  );
}

/** Lists all nodes, `chosen` marked. A click on one calls `choose`. */
export function showNodes(nodes, chosen, choose) {
  for (const [name, button] of buttons) {
    if (nodes.some(({ node }) => node === name)) continue;
    button.remove();
    buttons.delete(name);
  }
  nodes.toSorted(compareHealth).forEach(({ node, level, words, overview }, at) => {
    let button = buttons.get(node);
    if (button === undefined) {
      button = element('button');
      button.type = 'button';
      button.addEventListener('click', () => choose(node));
      buttons.set(node, button);
    }
    button.className = level;
    button.setAttribute('aria-pressed', String(node === chosen));
    const figures = overview ? `${amount(overview.actors, 'actor')}, ${bytes(overview.memory.rss)}` : '';
    button.replaceChildren(
      element('b', '', node),
      element('span', 'words', words),
      element('small', '', figures),
    );
    if ($('nodes').children[at] !== button) $('nodes').insertBefore(button, $('nodes').children[at] ?? null);
  });
}

/** Shows the lost messages by reason, each with the nodes that lost most. */
export function showLost(nodes) {
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
      .slice(0, MAX_NODES_OF_REASON)
      .map(([node, lost]) => `${node.split('@')[0]} ${count(lost)}`)
      .join(', '),
  ]);
  rows.sort((a, b) => b[1] - a[1]);
  const body = rows.map(([reason, lost, where]) =>
    element(
      'tr',
      '',
      element('td', '', reason),
      element('td', 'figure', count(lost)),
      element('td', 'where', where),
    ),
  );
  $('lost').replaceChildren(element('table', '', element('tbody', '', ...body)));
}
