// Charts of figures over time. uPlot draws them; its script defines the global `uPlot`.
/* global uPlot */
import { element, time } from './format.js';

const HEIGHT = 56;
/** Most points in a chart. */
const MAX_POINTS = 150;
/** The chart is at least as wide as this many points, so that the first points are not spread over its width. */
const MIN_POINTS = 30;
/** All charts: under the pointer they mark the same moment. */
const charts = new Set();
const cursors = uPlot.sync('observer');

/** A figure over time. `push(undefined)` leaves a gap. */
export class Chart {
  #format;
  #values = [];
  #times = [];
  #now = element('strong');
  #note = element('small');
  #plot;

  constructor(title, format) {
    this.#format = format;
    const picture = element('div', 'plot');
    picture.setAttribute('aria-hidden', 'true'); // the caption has its figures
    this.element = element(
      'figure',
      '',
      element('figcaption', '', element('span', '', title), this.#now, this.#note),
      picture,
    );
    this.#plot = new uPlot(this.#options(), this.#data(), picture);
    new ResizeObserver(() => this.#plot.setSize({ width: picture.clientWidth, height: HEIGHT })).observe(
      picture,
    );
    charts.add(this);
  }

  push(value) {
    this.#values.push(value);
    this.#times.push(Date.now());
    if (this.#values.length > MAX_POINTS) {
      this.#values.shift();
      this.#times.shift();
    }
    this.#plot.setData(this.#data());
    this.#caption();
  }

  clear() {
    this.#values.length = this.#times.length = 0;
    this.#plot.setData(this.#data());
    this.#caption();
  }

  redraw() {
    this.#plot.redraw();
  }

  /** The points for uPlot: the newest is always at the right end. */
  #data() {
    const first = MAX_POINTS - this.#values.length;
    return [this.#values.map((_, at) => first + at), this.#values.map((value) => value ?? null)];
  }

  #caption(at) {
    const textOf = (value) => (value === undefined ? '-' : this.#format(value));
    const known = this.#values.filter((each) => each !== undefined);
    this.#now.textContent = textOf(this.#values[at ?? this.#values.length - 1]);
    if (at !== undefined) this.#note.textContent = time(this.#times[at]);
    else this.#note.textContent = known.length === 0 ? '' : `most ${this.#format(Math.max(...known))}`;
  }

  #options() {
    return {
      width: 120,
      height: HEIGHT,
      padding: [4, 0, 0, 0],
      legend: { show: false },
      axes: [{ show: false }, { show: false }],
      scales: {
        x: {
          time: false,
          range: () => [MAX_POINTS - Math.max(MIN_POINTS, this.#values.length), MAX_POINTS - 1],
        },
        y: { range: (_plot, _least, most) => [0, most > 0 ? most : 1] },
      },
      series: [
        {},
        {
          stroke: () => color('--accent'),
          fill: () => `color-mix(in srgb, ${color('--accent')} 14%, transparent)`,
          width: 1.7,
          points: { show: false },
        },
      ],
      cursor: { y: false, drag: { x: false, y: false }, sync: { key: cursors.key }, points: { size: 6 } },
      hooks: { setCursor: [({ cursor }) => this.#caption(cursor.idx ?? undefined)] },
    };
  }
}

function color(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
  for (const chart of charts) chart.redraw();
});
