import { exactRank } from '../analysis/exact_rank.ts';
import { gridTensor } from '../analysis/grid.ts';
import { gridOutput, oddModes } from '../analysis/matricize.ts';
import { DEFAULT_TOLERANCE, matricizationRank, reportOf } from '../analysis/ranks.ts';
import type { Backend } from '../backend/interface.ts';
import { selectBackend } from '../backend/select.ts';
import { product } from '../core/extents.ts';
import { Rng } from '../core/rng.ts';
import { type FloatArray, type Tensor, tensor } from '../core/tensor.ts';
import { ttFull } from '../decompose/tt.ts';
import { ttSvd } from '../decompose/tt_svd.ts';
import { createModel, type Model } from '../models/model.ts';

import type { Form } from './subject.ts';
import type { AnalysisWorkload, Input, Inputs, RankWorkload, TtSvdWorkload } from './workloads.ts';

const normal = (rng: Rng, shape: readonly number[]): Input => ({
  shape,
  data: Float64Array.from({ length: product(shape) }, () => rng.normal()),
});

/** F, C.t and G.t of a network; or H, of independent entries or of a random tensor train. */
export function drawAnalysis(workload: AnalysisWorkload): Inputs {
  const rng = new Rng(7);
  if (workload.kind === 'rank') {
    const { M, T, L, R } = workload;
    const bound = (t: number) => (t === 0 || t === T ? 1 : R);
    const steps = Array.from({ length: T }, (_, t) => [
      [`C${t}`, normal(rng, [L, M])],
      [`G${t}`, normal(rng, [L, bound(t), bound(t + 1)])],
    ]);
    return { F: normal(rng, [M, M]), ...Object.fromEntries(steps.flat()) };
  }
  const { shape, rank } = workload;
  if (rank === null) return { H: normal(rng, shape) };
  const last = shape.length - 1;
  const cores = shape.map((n, t) => {
    const part = normal(rng, [t === 0 ? 1 : rank, n, t === last ? 1 : rank]);
    return { dtype: 'float64', shape: part.shape, data: part.data } as const;
  });
  return { H: { shape, data: ttFull({ cores }).data } };
}

/** As a user asks: networks by the functions of the analysis, tensors by `ttSvd`. */
export function analysisForms(workload: AnalysisWorkload, inputs: Inputs, backend: Backend): Form[] {
  if (workload.kind === 'ttsvd') return [ttSvdForm(workload, inputs, backend)];
  const model = modelOf(workload, inputs, backend);
  const templates = tensorOf(inputs.F);
  const rows = oddModes(workload.T);
  if (workload.exact) {
    const run = () => exactRank(model, templates, rows);
    return [{ name: 'exactRank', run, outputs: () => ({ arrays: { rank: Float64Array.of(run().rank) } }) }];
  }
  const run = () => matricizationRank(gridOutput(gridTensor(model, templates), 0), rows, { backend });
  // Timed is the rank alone; the values are for the comparison.
  const outputs = () => {
    const { rank, singularValues } = run();
    return { arrays: { s: singularValues, numerical: Float64Array.of(rank) } };
  };
  return [{ name: 'gridTensor, matricizationRank', run, outputs }];
}

function ttSvdForm({ eps, randomized }: TtSvdWorkload, { H }: Inputs, backend: Backend): Form {
  const whole = tensorOf(H);
  const run = () => ttSvd(whole, { eps, randomized, backend });
  const outputs = () => ({
    arrays: Object.fromEntries(run().cores.map(({ data }, t) => [`core${t}`, data])),
  });
  return { name: randomized ? 'ttSvd, randomized' : 'ttSvd', run, outputs };
}

const tensorOf = ({ shape, data }: Input): Tensor => ({ dtype: 'float64', shape: [...shape], data });

function modelOf({ xi, M, T, L, R }: RankWorkload, inputs: Inputs, backend: Backend): Model {
  const features = { size: M, activation: 'identity' } as const;
  const sizes = { steps: T, inputs: M, outputs: 1, rank: R, projection: L } as const;
  const model = createModel({ kind: 'tt', xi, ...sizes, features, dtype: 'float64', backend });
  const identity = Float64Array.from({ length: M * M }, (_, n) => Number(n % (M + 1) === 0));
  const steps = Array.from({ length: T }, (_, t) => [
    [`C.${t}`, tensorOf(inputs[`C${t}`])],
    [`G.${t}`, tensorOf(inputs[`G${t}`])],
  ]);
  model.setParameters({
    'features.A': tensor(identity, [M, M]),
    'features.b': tensor(new Float64Array(M)),
    ...Object.fromEntries(steps.flat()),
  });
  return model;
}

/** Whether a subject's singular values, rank or tensor train are right. */
export function verifyAnalysis(
  workload: AnalysisWorkload,
  inputs: Inputs,
  arrays: Readonly<Record<string, FloatArray>>,
): boolean {
  if (workload.kind === 'ttsvd') return verifyTrain(workload, inputs, arrays);
  const want = expectedSpectrum(workload, inputs);
  if (arrays.rank) {
    // Another prime has no reason to divide the same minors, and exact ranks are never below numerical ones.
    const model = modelOf(workload, inputs, native());
    const again = exactRank(model, tensorOf(inputs.F), oddModes(workload.T), { prime: OTHER_PRIME });
    return arrays.rank[0] === again.rank && again.rank >= reportOf(want, DEFAULT_TOLERANCE).rank;
  }
  const { rank } = reportOf(want, DEFAULT_TOLERANCE);
  return (
    arrays.s?.length === want.length &&
    (arrays.numerical === undefined || arrays.numerical[0] === rank) &&
    want.every((value, k) => Math.abs(value - arrays.s[k]) <= 1e-12 * want[0])
  );
}

const OTHER_PRIME = 16_777_199;
const native = () => selectBackend({ threads: 1 }).backend;
const known = new Map<string, Float64Array>();

/** The singular values by the plain loops of the reference backend: some seconds, once. */
function expectedSpectrum(workload: RankWorkload, inputs: Inputs): Float64Array {
  const { M, T, L, R } = workload;
  const key = [M, T, L, R].join();
  let want = known.get(key);
  if (!want) {
    const { backend } = selectBackend({ prefer: ['reference'] });
    const grid = gridOutput(gridTensor(modelOf(workload, inputs, backend), tensorOf(inputs.F)), 0);
    want = matricizationRank(grid, oddModes(workload.T), { backend }).singularValues;
    known.set(key, want);
  }
  return want;
}

/** Ranks are the least possible, and elements at random places have the error that was asked for. */
function verifyTrain(
  { shape, rank, eps }: TtSvdWorkload,
  { H }: Inputs,
  arrays: Readonly<Record<string, FloatArray>>,
): boolean {
  const count = product(shape);
  let r = 1;
  const cores = shape.map((n, t) => {
    const data = arrays[`core${t}`];
    const next = data ? data.length / (r * n) : Number.NaN;
    const core = { data, left: r, n, right: next };
    r = next;
    return core;
  });
  const left = (t: number) => product(shape.slice(0, t));
  const fits = cores.every(({ left: found }, t) => {
    const most = Math.min(left(t), count / left(t));
    return found === (rank === null ? most : Math.min(rank, most));
  });
  if (!fits || r !== 1) return false;
  const rng = new Rng(11);
  let [squares, errors] = [0, 0];
  for (let sample = 0; sample < SAMPLES; sample++) {
    let [at, row] = [0, Float64Array.of(1)];
    for (const { data, n, right } of cores) {
      const i = rng.below(n);
      at = at * n + i;
      const before = row;
      row = Float64Array.from({ length: right }, (_, k) =>
        before.reduce((sum, value, j) => sum + value * data[(j * n + i) * right + k], 0),
      );
    }
    squares += H.data[at] ** 2;
    errors += (H.data[at] - row[0]) ** 2;
  }
  return Math.sqrt(errors) <= (1 + 5 / Math.sqrt(SAMPLES)) * eps * Math.sqrt(squares);
}

const SAMPLES = 500;
