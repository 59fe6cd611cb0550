/** A quantity along one side of a plot. */
export interface Axis {
  readonly label: string;
  readonly low: number;
  readonly high: number;
  readonly log?: boolean;
  /** Only whole numbers have ticks. */
  readonly whole?: boolean;
  readonly format?: (value: number) => string;
}

/** Where a value lies between two ends. */
export function position({ low, high, log }: Axis, from: number, to: number): (value: number) => number {
  const map = log ? Math.log10 : (value: number) => value;
  const [a, b] = [map(low), map(high)];
  return (value) => from + ((map(value) - a) / (b - a || 1)) * (to - from);
}

/** Round values inside the axis, at most some `most` of them. */
export function ticks(axis: Axis, most: number): number[] {
  const { low, high } = axis;
  if (axis.log) {
    const round = logTicks(low, high, most);
    // A narrow axis may have none, or one that says nothing of the scale.
    return round.length > 1 ? round : ticks({ ...axis, log: false }, most);
  }
  const rough = (high - low) / most || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  let step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((size) => size >= rough * (1 - 1e-9))!;
  if (axis.whole) step = Math.max(1, Math.ceil(step));
  const all: number[] = [];
  for (let n = Math.ceil(low / step - 1e-9); n * step <= high + 1e-9 * step; n++)
    all.push(Number((n * step).toPrecision(12)));
  return all;
}

/** Powers of ten, some left out where they are many; with 2 and 5 in between where they are few. */
function logTicks(low: number, high: number, most: number): number[] {
  const [first, last] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high))];
  const inside = (value: number) => value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9);
  const powers = Array.from({ length: last - first + 1 }, (_, n) => first + n);
  const factors = powers.length <= 3 ? [1, 2, 5] : [1];
  const stride = Math.ceil(powers.length / most);
  return powers
    .filter((power) => power % stride === 0)
    .flatMap((power) => factors.map((factor) => Number((factor * 10 ** power).toPrecision(6))))
    .filter(inside);
}

/** An axis around values, a little wider than they are, and within bounds. */
export function around(values: readonly number[], bounds: readonly [number, number] = [-Infinity, Infinity]) {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const slack = 0.06 * (high - low) || 0.05 * Math.abs(high) || 1;
  return { low: Math.max(bounds[0], low - slack), high: Math.min(bounds[1], high + slack) };
}

/** A logarithmic axis around positive values. */
export function aroundLog(values: readonly number[]) {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return { low: low / 1.15, high: high * 1.15, log: true } as const;
}

/** 1234567 as `1.2M`. */
export function short(value: number): string {
  if (value >= 1e6) return `${Number((value / 1e6).toPrecision(2))}M`;
  if (value >= 1e3) return `${Number((value / 1e3).toPrecision(2))}k`;
  return String(value);
}

const SUPERSCRIPTS = '⁰¹²³⁴⁵⁶⁷⁸⁹';

/** 1e-10 as `10⁻¹⁰`. */
export function powerOfTen(value: number): string {
  const exponent = Math.round(Math.log10(value));
  const digits = [...String(Math.abs(exponent))].map((digit) => SUPERSCRIPTS[Number(digit)]).join('');
  return `10${exponent < 0 ? '⁻' : ''}${digits}`;
}
