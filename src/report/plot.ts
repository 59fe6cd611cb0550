import { html, type Markup } from './markup.ts';
import { type Axis, position, ticks } from './scale.ts';

/** Number of a colour of the page; each has a dash and a symbol of its own, so that it needs no colour to be told apart. */
export type Colour = 1 | 2 | 3 | 4;

export type Mark =
  | {
      readonly type: 'line';
      readonly colour: Colour;
      readonly points: readonly (readonly [x: number, y: number])[];
      readonly symbols?: boolean;
    }
  | {
      readonly type: 'band';
      readonly colour: Colour;
      readonly points: readonly (readonly [x: number, low: number, high: number])[];
    }
  | {
      readonly type: 'bars';
      readonly colour: Colour;
      readonly bars: readonly (readonly [from: number, to: number, y: number])[];
    }
  | {
      /** The outline of bars that touch, over others that are filled. */
      readonly type: 'steps';
      readonly colour: Colour;
      readonly bars: readonly (readonly [from: number, to: number, y: number])[];
    }
  | {
      /** Where on the x axis the mean or the median of a histogram lies. */
      readonly type: 'mean' | 'median';
      readonly x: number;
    }
  | { readonly type: 'level'; readonly y: number; readonly label: string };

/** One plot: small enough for a telephone, repeated side by side on a wide page. */
export interface Panel {
  readonly id: string;
  readonly title: string;
  /** What a reader hears who does not see it. */
  readonly description: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly marks: readonly Mark[];
}

const WIDTH = 360;
const HEIGHT = 240;
const FRAME = { left: 52, right: 340, top: 28, bottom: 196 };

const round = (value: number): string => String(Math.round(value * 100) / 100);

/** A plot as SVG whose colours are those of the page. */
export function panelSvg({ id, title, description, x, y, marks }: Panel): Markup {
  const at = { x: position(x, FRAME.left, FRAME.right), y: position(y, FRAME.bottom, FRAME.top) };
  const format = (axis: Axis) => axis.format ?? String;
  const middle = (FRAME.top + FRAME.bottom) / 2;
  return html`<svg class="plot" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-labelledby="${id}-t ${id}-d">
<title id="${id}-t">${title}</title><desc id="${id}-d">${description}</desc>
<text class="title" x="${FRAME.left}" y="16">${title}</text>
${ticks(y, 5).map((value) => {
  const place = round(at.y(value));
  return html`<line class="grid" x1="${FRAME.left}" x2="${FRAME.right}" y1="${place}" y2="${place}"/><text class="tick end" x="${FRAME.left - 6}" y="${round(at.y(value) + 4)}">${format(y)(value)}</text>`;
})}
${ticks(x, 6).map(
  (value) =>
    html`<line class="grid" x1="${round(at.x(value))}" x2="${round(at.x(value))}" y1="${FRAME.bottom}" y2="${FRAME.bottom + 4}"/><text class="tick middle" x="${round(at.x(value))}" y="${FRAME.bottom + 18}">${format(x)(value)}</text>`,
)}
<line class="axis" x1="${FRAME.left}" x2="${FRAME.right}" y1="${FRAME.bottom}" y2="${FRAME.bottom}"/>
<text class="label middle" x="${(FRAME.left + FRAME.right) / 2}" y="${HEIGHT - 8}">${x.label}</text>
<text class="label middle" transform="translate(13 ${middle}) rotate(-90)">${y.label}</text>
${marks.map((mark) => drawMark(mark, at))}
</svg>`;
}

interface Place {
  readonly x: (value: number) => number;
  readonly y: (value: number) => number;
}

function drawMark(mark: Mark, at: Place): Markup {
  const pair = (x: number, y: number) => `${round(at.x(x))} ${round(at.y(y))}`;
  switch (mark.type) {
    case 'line': {
      const path = mark.points.map(([x, y]) => pair(x, y)).join('L');
      const symbols = mark.symbols ? mark.points.map(([x, y]) => symbol(mark.colour, at.x(x), at.y(y))) : [];
      return html`<path class="line c${mark.colour}" d="M${path}"/>${symbols}`;
    }
    case 'band': {
      const upper = mark.points.map(([x, , high]) => pair(x, high));
      const lower = mark.points.map(([x, low]) => pair(x, low)).reverse();
      return html`<path class="band c${mark.colour}" d="M${[...upper, ...lower].join('L')}Z"/>`;
    }
    case 'bars':
      return html`${mark.bars.map(([from, to, y]) => {
        const [left, right, top] = [at.x(from), at.x(to), at.y(y)];
        return html`<rect class="bar c${mark.colour}" x="${round(left)}" y="${round(top)}" width="${round(Math.max(0.5, right - left))}" height="${round(FRAME.bottom - top)}"/>`;
      })}`;
    case 'steps':
      return outlined(stepPath(mark.bars, at), `steps c${mark.colour}`);
    case 'mean':
      return outlined(`M${round(at.x(mark.x))} ${FRAME.top}V${FRAME.bottom}`, 'mean');
    case 'median': {
      const x = round(at.x(mark.x));
      return html`<path class="median" d="M${x} ${FRAME.top + 8}l-5 -9h10Z"/>`;
    }
    case 'level': {
      const place = at.y(mark.y);
      return html`<line class="level" x1="${FRAME.left}" x2="${FRAME.right}" y1="${round(place)}" y2="${round(place)}"/><text class="tick end halo" x="${FRAME.right}" y="${round(place - 5)}">${mark.label}</text>`;
    }
  }
}

/** Up, along and down the bars, from the axis to the axis. */
function stepPath(bars: Extract<Mark, { type: 'steps' }>['bars'], at: Place): string {
  const tops = bars.map(([, to, y]) => `V${round(at.y(y))}H${round(at.x(to))}`);
  return `M${round(at.x(bars[0][0]))} ${FRAME.bottom}${tops.join('')}V${FRAME.bottom}`;
}

/** A line with an edge in the colour of the ground, which tells it from what it lies on, in grey too. */
const outlined = (path: string, kind: string): Markup =>
  html`<path class="casing" d="${path}"/><path class="${kind}" d="${path}"/>`;

/** What a legend shows of a mark, drawn as the mark is. */
export type Swatch = 'line' | 'points' | 'bars' | 'steps' | 'mean' | 'median';

/** A small drawing of a mark for a legend. */
export function swatchSvg(swatch: Swatch, colour: Colour): Markup {
  const line = html`<path class="line c${colour}" d="M0 7h34"/>`;
  const drawings: Readonly<Record<Swatch, Markup>> = {
    line,
    points: html`${line}${symbol(colour, 17, 7)}`,
    bars: html`<rect class="bar c${colour}" x="3" y="1" width="28" height="12"/>`,
    steps: html`<path class="steps c${colour}" d="M3 13V5H17V1.5H31V13"/>`,
    mean: html`<path class="mean" d="M17 0V14"/>`,
    median: html`<path class="median" d="M17 11.5l-5 -9h10Z"/>`,
  };
  return html`<svg class="swatch" viewBox="0 0 34 14" aria-hidden="true">${drawings[swatch]}</svg>`;
}

/** A circle, square, diamond or triangle. */
function symbol(colour: Colour, x: number, y: number): Markup {
  const shapes: Readonly<Record<Colour, string>> = {
    1: 'm-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0Z',
    2: 'm-3.5 -3.5h7v7h-7Z',
    3: 'm0 -5l5 5l-5 5l-5 -5Z',
    4: 'm0 -4.5l4.5 8h-9Z',
  };
  return html`<path class="symbol c${colour}" d="M${round(x)} ${round(y)}${shapes[colour]}"/>`;
}
