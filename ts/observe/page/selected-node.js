// The selected node: its facts, and its figures over time.
import { Chart } from './charts.js';
import { $, age, amount, bytes, count } from './format.js';

const charts = {
  mailbox: new Chart('Mailboxes', count),
  turns: new Chart('Messages taken / s', count),
  loop: new Chart('Event loop late', (ms) => `${ms.toFixed(1)} ms`),
  cpu: new Chart('Processor', (share) => `${Math.round(share * 100)} %`),
  memory: new Chart('Memory', bytes),
  in: new Chart('In / s', bytes),
  out: new Chart('Out / s', bytes),
};
for (const chart of Object.values(charts)) $('charts').append(chart.element);

/** The previous number of taken messages, and when it was reported. */
let lastTurns;

/** Clears the charts: another node was selected. */
export function clearCharts() {
  for (const chart of Object.values(charts)) chart.clear();
  lastTurns = undefined;
}

/**
 * Shows the facts and figures that a node reports about itself.
 *
 * @param view The node; undefined: it is no longer known.
 * @param at When it reported them. @param before Its previous report, if there is one.
 */
export function showFacts(name, view, at, before) {
  $('node-title').textContent = name;
  const { overview } = view ?? {};
  if (overview === undefined) {
    $('facts').textContent = view?.words ?? 'This node is no longer known.';
    return;
  }
  const { version, platform, osPid, uptimeMs, actors, supervisors, names, peers, memory, loopDelay, cpuMs } =
    overview;
  $('facts').textContent =
    `snowmesh ${version} on ${platform}, process ${osPid}, up ${age(uptimeMs)}; ${amount(actors, 'actor')}, ${amount(supervisors, 'supervisor')}, ${amount(names, 'local name')}, ${amount(peers, 'peer')}`;
  charts.loop.push(loopDelay?.p99);
  const hasRate = before !== undefined && at > before.at;
  charts.cpu.push(hasRate ? Math.max(0, (cpuMs - before.cpuMs) / (at - before.at)) : undefined);
  charts.memory.push(memory.rss);
  charts.in.push(view.bytesIn);
  charts.out.push(view.bytesOut);
}

/** Shows the sums over all actors of the node; undefined: it did not answer. */
export function showTotals(totals) {
  if (totals === undefined) {
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
}
