/** Charts as SVG text: pure functions of what they show. Their titles are what a screen reader says. */
const escaped = (text: string) =>
  text.replace(/[&<>"]/g, (mark) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[mark]!);

const svg = (width: number, height: number, label: string, body: string) =>
  `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(label)}">${body}</svg>`;

const text = (x: number, y: number, content: string, anchor = 'middle', kind = '') =>
  `<text x="${x}" y="${y}" text-anchor="${anchor}"${kind && ` class="${kind}"`}>${escaped(content)}</text>`;

const line = (x1: number, y1: number, x2: number, y2: number, kind = 'axis') =>
  `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" class="${kind}"/>`;

/** Charts are as wide as their place, so that their letters keep their size. */
const HEIGHT = 230;
const FRAME = { left: 50, right: 8, top: 10, bottom: 40 };
const INNER_HEIGHT = HEIGHT - FRAME.top - FRAME.bottom;
/** Most bars of a histogram; beyond, ranks share bars. */
const MOST_BARS = 40;

/** Steps 1, 2, 5, 10, … of which at most `most` fit into a range. */
function stepFor(range: number, most: number): number {
  for (let power = 1; ; power *= 10) {
    for (const step of [power, 2 * power, 5 * power]) if (range / step <= most) return step;
  }
}

/** A line and its number for each of some values, and the names of both axes; '' where the caption has it. */
function frame(
  width: number,
  axis: string,
  side: string,
  rows: readonly (readonly [y: number, name: string])[],
): string {
  const lines = rows.map(
    ([y, name]) => line(FRAME.left, y, width - FRAME.right, y) + text(FRAME.left - 6, y + 4, name, 'end'),
  );
  const upright =
    side &&
    `<text transform="translate(11 ${FRAME.top + INNER_HEIGHT / 2}) rotate(-90)" text-anchor="middle">${escaped(side)}</text>`;
  return (
    upright + lines.join('') + text(FRAME.left + (width - FRAME.left - FRAME.right) / 2, HEIGHT - 4, axis)
  );
}

export type Bin = readonly [rank: number, count: number];

/** Bars over the ranks that occur, some ranks a bar where they are many; `largest` is the largest rank there can be. */
export function histogramChart(width: number, bins: readonly Bin[], largest: number): string {
  const [low, high] = [bins[0][0], bins[bins.length - 1][0]];
  const [first, last] = high - low < 8 ? [Math.max(0, low - 4), Math.min(largest, low + 7)] : [low, high];
  const size = stepFor(last - first + 1, MOST_BARS);
  // Counted down from the largest rank, so that the last bar has as many ranks as the others: full rank is what many have.
  const start = largest + 1 - size * Math.ceil((largest + 1 - first) / size);
  const counts = new Array<number>(Math.floor((last - start) / size) + 1).fill(0);
  for (const [rank, count] of bins) counts[Math.floor((rank - start) / size)] += count;
  const slot = (width - FRAME.left - FRAME.right) / counts.length;
  const step = stepFor(Math.max(...counts), 4);
  const top = Math.ceil(Math.max(...counts) / step) * step;
  const x = (n: number) => FRAME.left + n * slot;
  const y = (count: number) => FRAME.top + INNER_HEIGHT * (1 - count / top);
  const rows = Array.from({ length: top / step + 1 }, (_, n) => [y(n * step), String(n * step)] as const);
  const bars = counts.map((count, n) => {
    if (count === 0) return '';
    const at = `x="${(x(n) + 0.1 * slot).toFixed(1)}" y="${y(count).toFixed(1)}"`;
    return `<rect ${at} width="${(0.8 * slot).toFixed(1)}" height="${(y(0) - y(count)).toFixed(1)}" rx="2" class="bar"/>`;
  });
  // A number below the bar that begins with it; in the middle of a bar that has one rank only.
  const marks = [];
  const markStep = Math.max(size, stepFor(last - start, Math.floor(width / 55)));
  for (let rank = Math.ceil(start / markStep) * markStep; rank <= last; rank += markStep) {
    marks.push(text(x((rank - start) / size + (size === 1 ? 0.5 : 0)), HEIGHT - 22, String(rank)));
  }
  const axis =
    size === 1 ? `rank, of ${largest} at most` : `rank, of ${largest} at most; ${size} ranks a bar`;
  const said =
    bins.length > 8 ? `from ${low} to ${high}` : bins.map(([r, count]) => `${r} ${count} times`).join(', ');
  return svg(
    width,
    HEIGHT,
    `Histogram of ranks: ${said}`,
    frame(width, axis, 'networks', rows) + bars.join('') + marks.join(''),
  );
}

/** Relative singular values on a logarithmic scale, and the tolerance above which they count. */
export function spectrumChart(
  width: number,
  spectrum: Float64Array,
  tolerance: number,
  rank: number,
): string {
  const floor = -18;
  const room = width - FRAME.left - FRAME.right;
  const x = (k: number) => FRAME.left + (room * (k + 0.5)) / spectrum.length;
  const y = (value: number) =>
    FRAME.top + (INNER_HEIGHT * Math.max(floor, value > 0 ? Math.log10(value) : floor)) / floor;
  const rows = [0, -6, -12, floor].map(
    (power) => [y(10 ** power), power === 0 ? '1' : `${power === floor ? '≤' : ''}1e${power}`] as const,
  );
  const radius = Math.max(1.2, Math.min(4, room / spectrum.length / 3));
  const dots = Array.from(spectrum, (value, k) => {
    const at = `cx="${x(k).toFixed(1)}" cy="${y(value).toFixed(1)}"`;
    return `<circle ${at} r="${radius.toFixed(1)}" class="${k < rank ? 'bar' : 'other'}"/>`;
  });
  const marks = [];
  const step = stepFor(spectrum.length, Math.floor(width / 55));
  for (let k = step === 1 ? 1 : step; k <= spectrum.length; k += step) {
    marks.push(text(x(k - 1), HEIGHT - 22, String(k)));
  }
  const limit = y(tolerance);
  const mark =
    line(FRAME.left, limit, width - FRAME.right, limit, 'limit') +
    text(width - FRAME.right - 2, limit - 5, `tolerance ${tolerance.toExponential(0)}`, 'end', 'limit-text');
  const label = `${rank} of ${spectrum.length} singular values are above the tolerance of ${tolerance.toExponential(0)}`;
  const axis = 'number of the singular value';
  return svg(width, HEIGHT, label, frame(width, axis, '', rows) + dots.join('') + marks.join('') + mark);
}

/** A probability with one decimal, of which none is certainty. */
export const percent = (part: number): string =>
  part >= 0.9995 ? '> 99.9 %' : `${(100 * part).toFixed(1)} %`;

export interface Bar {
  readonly name: string;
  readonly value: number;
  /** What stands behind the bar. */
  readonly shown: string;
}

/**
 * Named bars, the best of them marked; `names` and `values` are the widths of the text before and behind them. Where this
 * leaves little for the bars, names stand above them.
 */
export function barsChart(
  width: number,
  label: string,
  bars: readonly Bar[],
  { names, values }: { readonly names: number; readonly values: number },
): string {
  const most = Math.max(...bars.map(({ value }) => value), Number.MIN_VALUE);
  const above = width - names - values < width / 3;
  const left = above ? 0 : names;
  const room = width - left - values;
  const row = above ? 44 : 24;
  const body = bars.map(({ name, value, shown }, n) => {
    const y = n * row + (above ? 20 : 0);
    const length = Math.max(1, (room * value) / most);
    const [bar, letters] = value === most ? ['best', 'strong'] : ['other', ''];
    return (
      (above ? text(0, y - 4, name, 'start', letters) : text(left - 8, y + 16, name, 'end', letters)) +
      `<rect x="${left}" y="${y + 3}" width="${length.toFixed(1)}" height="17" rx="2" class="${bar}"/>` +
      text(left + length + 6, y + 16, shown, 'start', letters)
    );
  });
  return svg(width, bars.length * row, label, body.join(''));
}

/** A column for each step, a row for each unit; colour by sign, opacity by size. */
export function statesChart(width: number, states: readonly Float32Array[]): string {
  const units = Math.max(...states.map(({ length }) => length));
  const left = 24;
  const cell = Math.min(22, (width - left) / states.length);
  const most = Math.max(...states.flatMap((state) => Array.from(state, Math.abs)), Number.MIN_VALUE);
  const square = (x: number, y: number, value: number) => {
    const side = (cell - 1).toFixed(1);
    const opacity = (0.06 + 0.94 * Math.sqrt(Math.abs(value) / most)).toFixed(2);
    return `<rect x="${x.toFixed(1)}" y="${y.toFixed(1)}" width="${side}" height="${side}" rx="2" class="${value < 0 ? 'negative' : 'positive'}" opacity="${opacity}"/>`;
  };
  const cells = states.flatMap((state, t) =>
    Array.from(state, (value, k) => square(left + t * cell, k * cell, value)),
  );
  const bottom = units * cell;
  const marks = [1, 4, 8, 12, 15]
    .filter((t) => t <= states.length)
    .map((t) => text(left + (t - 0.5) * cell, bottom + 15, String(t)));
  const names = [1, 8, 16]
    .filter((k) => k <= units)
    .map((k) => text(left - 6, (k - 0.5) * cell + 4, String(k), 'end'));
  const label = `Hidden states of ${units} units after each of ${states.length} patches; the largest value is ${most.toPrecision(3)}`;
  const axis = text(left + (states.length * cell) / 2, bottom + 32, 'patches read');
  // Sign → colour, size → opacity: from the largest below zero to the largest above.
  const [middle, top] = [left + (states.length * cell) / 2, bottom + 44];
  const scale = [-1, -0.5, -0.1, 0, 0.1, 0.5, 1];
  const from = middle - (scale.length * cell) / 2;
  const key = scale.map((part, n) => square(from + n * cell, top, part * most));
  const largest = most > Number.MIN_VALUE ? most.toPrecision(2) : '';
  const ends = [
    text(from - 6, top + cell / 2 + 4, `negative ${largest && `−${largest}`}`, 'end'),
    text(from + scale.length * cell + 6, top + cell / 2 + 4, `${largest} positive`, 'start'),
  ];
  return svg(width, top + cell, label, [...cells, ...marks, ...names, axis, ...key, ...ends].join(''));
}
