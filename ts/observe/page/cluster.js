// The cluster: its figures, the nodes with a problem, the list of all nodes, and the lost messages.
import { $, amount, bytes, count, element, keepFocus } from './format.js';
import { compareHealth, totalOf } from './health.js';

/** Most nodes in the list of those with a problem. */
const MAX_UNHEALTHY = 8;
/** Most nodes that are named for one reason of lost messages. */
const MAX_NODES_OF_REASON = 3;

/** The buttons of some nodes, kept from one update to the next so that the focus stays where it is. */
class NodeButtons {
  #buttons = new Map();

  /** Shows `nodes` in this order at the start of `list`. A click on one calls `choose`. */
  show(list, nodes, choose, contentOf) {
    const names = new Set(nodes.map(({ node }) => node));
    keepFocus(list, () => {
      for (const [name, button] of this.#buttons) {
        if (names.has(name)) continue;
        button.remove();
        this.#buttons.delete(name);
      }
      nodes.forEach((each, at) => {
        const button = this.#buttonOf(each.node, choose);
        button.className = each.level;
        button.replaceChildren(element('b', '', each.node), ...contentOf(each, button));
        if (list.children[at] !== button) list.insertBefore(button, list.children[at] ?? null);
      });
    });
  }

  #buttonOf(node, choose) {
    let button = this.#buttons.get(node);
    if (button === undefined) {
      button = element('button');
      button.type = 'button';
      button.addEventListener('click', () => choose(node));
      this.#buttons.set(node, button);
    }
    return button;
  }
}

const all = new NodeButtons();
const problems = new NodeButtons();

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
  problems.show($('unhealthy'), unhealthy.slice(0, MAX_UNHEALTHY), choose, ({ words }) => [` ${words}`]);
  const rest = unhealthy.length - MAX_UNHEALTHY;
  const note = $('unhealthy').querySelector('p');
  note.className = unhealthy.length === 0 ? 'good' : '';
  note.textContent = unhealthy.length === 0 ? 'All nodes are healthy.' : rest > 0 ? `and ${rest} more` : '';
}

/** Lists all nodes, `chosen` marked. A click on one calls `choose`. */
export function showNodes(nodes, chosen, choose) {
  all.show($('nodes'), nodes.toSorted(compareHealth), choose, ({ node, words, overview }, button) => {
    button.setAttribute('aria-pressed', String(node === chosen));
    const figures = overview ? `${amount(overview.actors, 'actor')}, ${bytes(overview.memory.rss)}` : '';
    return [element('span', 'words', words), element('small', '', figures)];
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
  const head = element('tr', '', ...['Reason', 'Messages', 'Most on'].map((each) => element('th', '', each)));
  $('lost').replaceChildren(element('table', '', element('thead', '', head), element('tbody', '', ...body)));
}
