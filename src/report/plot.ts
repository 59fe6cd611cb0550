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
    case 'level': {
      const place = at.y(mark.y);
      return html`<line class="level" x1="${FRAME.left}" x2="${FRAME.right}" y1="${round(place)}" y2="${round(place)}"/><text class="tick end halo" x="${FRAME.right}" y="${round(place - 5)}">${mark.label}</text>`;
    }
  }
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
