import { readdirSync, readFileSync } from 'node:fs';
import type { Backend } from '../../src/backend/interface.ts';
import { type DType, type FloatArray, type Tensor, tensor } from '../../src/core/tensor.ts';
import type { Xi } from '../../src/core/xi.gen.ts';
import type { ModelKind } from '../../src/models/config.ts';
import { createModel, type Model } from '../../src/models/model.ts';

/** An array of the golden data; infinities are strings there. */
export interface GoldenArray {
  readonly shape: number[];
  readonly data: (number | string)[];
}

export const GOLDEN_KINDS = ['cp', 'cp_shared', 'tt', 'tt_shared', 'ht', 'ht_shared', 'ht_diagonal'] as const;

export interface GoldenNet {
  readonly kind: (typeof GOLDEN_KINDS)[number];
  readonly xi: Xi;
  readonly sizes: Record<'M' | 'T' | 'N' | 'K' | 'B' | 'L' | 'Rsh' | 'Rcp', number> &
    Record<'Rtt' | 'Rht', number[]>;
  readonly sigma: 'identity' | 'relu' | 'tanh';
  readonly params: GoldenParameters;
  readonly X: GoldenArray;
  readonly scores: GoldenArray;
  readonly w: GoldenArray;
  readonly grads: GoldenParameters;
  readonly grad_X: GoldenArray;
  readonly states?: GoldenArray[];
  readonly templates?: GoldenArray;
  readonly grid?: GoldenArray;
}

/** A and b, and what the family has: one array, a list over steps, or a list of lists over levels and nodes. */
type GoldenParameters = Readonly<Record<string, GoldenArray | GoldenArray[] | GoldenArray[][]>>;

// Relative to the working directory: the same file runs from the source tree and from a bundle on another processor.
const FOLDER = 'test/golden';

export function goldenNames(pattern: RegExp): string[] {
  return readdirSync(FOLDER)
    .filter((name) => pattern.test(name))
    .sort();
}

export function golden<T>(name: string): T {
  return JSON.parse(readFileSync(`${FOLDER}/${name}`, 'utf8')) as T;
}

export function values({ data }: GoldenArray): Float64Array {
  return Float64Array.from(data, (value) =>
    value === 'inf' ? Number.POSITIVE_INFINITY : value === '-inf' ? Number.NEGATIVE_INFINITY : Number(value),
  );
}

export function asTensor(array: GoldenArray, dtype: DType): Tensor {
  const exact = values(array);
  return tensor(dtype === 'float32' ? Float32Array.from(exact) : exact, array.shape, dtype);
}

/** Parameters and gradients of a golden network under the names that the model gives them. */
export function named(net: GoldenNet, parameters: GoldenParameters): Record<string, GoldenArray> {
  const shared = net.kind.endsWith('_shared');
  const place = (t: number) => (net.kind === 'tt_shared' ? ['first', 'middle', 'last'][t] : String(t));
  const entries = Object.entries(parameters).flatMap(([name, given]): [string, GoldenArray][] => {
    if (!Array.isArray(given)) return [[name === 'A' || name === 'b' ? `features.${name}` : name, given]];
    return given.flatMap((item, n): [string, GoldenArray][] => {
      if (Array.isArray(item)) {
        return item.map((B, node) => [shared ? `B.${n + 1}` : `B.${n + 1}.${node}`, B]);
      }
      return [[shared && name === 'W' ? 'W' : `${name}.${place(n)}`, item]];
    });
  });
  return Object.fromEntries(entries);
}

export function goldenModel(net: GoldenNet, dtype: DType, backend: Backend): Model {
  const { sizes } = net;
  const [kind, variant] = net.kind.split('_') as [ModelKind, string?];
  const shared = variant === 'shared';
  const tt = { rank: shared ? sizes.Rsh : sizes.Rtt, projection: sizes.L };
  const model = createModel({
    kind,
    xi: net.xi,
    steps: sizes.T,
    inputs: sizes.N,
    outputs: sizes.K,
    ...{ cp: { rank: sizes.Rcp }, tt, ht: { rank: sizes.Rht, diagonal: variant === 'diagonal' } }[kind],
    features: { size: sizes.M, activation: net.sigma },
    shared,
    dtype,
    backend,
  });
  const parameters = Object.entries(named(net, net.params)).map(([name, array]) => [
    name,
    asTensor(array, dtype),
  ]);
  model.setParameters(Object.fromEntries(parameters));
  return model;
}

/** Throws unless every value is within `tolerance` of the expected, relative to the largest expected magnitude. */
export function expectClose(what: string, actual: FloatArray, expected: FloatArray, tolerance: number): void {
  if (actual.length !== expected.length) {
    throw new Error(`${what}: expected ${expected.length} values, received ${actual.length}`);
  }
  let scale = 0;
  for (const value of expected) if (Number.isFinite(value)) scale = Math.max(scale, Math.abs(value));
  let worst = { error: 0, at: -1 };
  for (let n = 0; n < actual.length; n++) {
    if (Object.is(actual[n], expected[n]) || actual[n] === expected[n]) continue;
    const error = Math.abs(actual[n] - expected[n]);
    if (!(error <= worst.error)) worst = { error, at: n };
  }
  if (worst.at >= 0 && !(worst.error <= tolerance * (scale || 1))) {
    const { at, error } = worst;
    throw new Error(
      `${what}: element ${at} is ${actual[at]}, expected ${expected[at]}; off by ${error}, allowed ${tolerance * scale}`,
    );
  }
}
