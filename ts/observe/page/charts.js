// Line charts over time, as SVG.

const SVG = 'http://www.w3.org/2000/svg';
const WIDTH = 300;
const HEIGHT = 70;
/** Points that are kept. */
const MOST = 150;

export function svg(name, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

/** A figure with its course. `push(undefined)` leaves a gap. */
export class Chart {
  constructor(title, format) {
    this.format = format;
    this.values = [];
    this.now = document.createElement('strong');
    this.most = document.createElement('small');
    this.area = svg('path', { class: 'area' });
    this.line = svg('path', { class: 'line', 'vector-effect': 'non-scaling-stroke' });
    const picture = svg('svg', {
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      preserveAspectRatio: 'none',
      'aria-hidden': 'true',
    });
    picture.append(this.area, this.line);
    const caption = document.createElement('figcaption');
    caption.append(title, this.now, this.most);
    this.element = document.createElement('figure');
    this.element.append(caption, picture);
  }

  push(value) {
    this.values.push(value);
    if (this.values.length > MOST) this.values.shift();
    const known = this.values.filter((each) => each !== undefined);
    const top = Math.max(1e-9, ...known);
    this.now.textContent = value === undefined ? '-' : this.format(value);
    this.most.textContent = known.length === 0 ? '' : `most ${this.format(Math.max(...known))}`;
    let line = '';
    let area = '';
    let from;
    this.values.forEach((each, at) => {
      if (each === undefined) {
        from = undefined;
        return;
      }
      const x = WIDTH - (this.values.length - 1 - at) * (WIDTH / (MOST - 1));
      const y = HEIGHT - 3 - (each / top) * (HEIGHT - 8);
      line += `${from === undefined ? 'M' : 'L'}${x.toFixed(1)} ${y.toFixed(1)}`;
      area +=
        from === undefined
          ? `M${x.toFixed(1)} ${HEIGHT}L${x.toFixed(1)} ${y.toFixed(1)}`
          : `L${x.toFixed(1)} ${y.toFixed(1)}`;
      from ??= x;
      if (this.values[at + 1] === undefined) area += `L${x.toFixed(1)} ${HEIGHT}Z`;
    });
    this.line.setAttribute('d', line);
    this.area.setAttribute('d', area);
  }

  clear() {
    this.values.length = 0;
    this.push(undefined);
    this.values.length = 0;
  }
}
