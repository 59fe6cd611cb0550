import { product } from '../core/extents.ts';
import { Rng } from '../core/rng.ts';
import { allocate } from '../core/tensor.ts';
import { drawAnalysis } from './analysis.ts';
import { drawModel } from './models.ts';
import {
  type AnalysisWorkload,
  gridSteps,
  type Inputs,
  isAnalysis,
  isModel,
  type ModelWorkload,
  type Workload,
} from './workloads.ts';

function shapesOf(
  workload: Exclude<Workload, ModelWorkload | AnalysisWorkload>,
): Record<string, readonly number[]> {
  if (workload.kind === 'maxplus') return { A: [workload.n, workload.n], B: [workload.n, workload.n] };
  if (workload.kind === 'grid') {
    const cores = gridSteps(workload).map(({ sizes: { L, R, K } }, t) => [`G${t}`, [L, R, K]]);
    return { a: [workload.M, workload.L], ...Object.fromEntries(cores) };
  }
  const { B, L, R, K } = workload.sizes;
  return {
    a: [B, L],
    h: [B, R],
    G: [L, R, K],
    ...(workload.kind === 'gradients' && { dout: [B, K] }),
  };
}

/** Normally distributed inputs, the same in every run. */
export function drawInputs(workload: Workload): Inputs {
  if (isModel(workload)) return drawModel(workload);
  if (isAnalysis(workload)) return drawAnalysis(workload);
  const rng = new Rng(7);
  return Object.fromEntries(
    Object.entries(shapesOf(workload)).map(([name, shape]) => {
      const data = allocate(workload.dtype, product(shape));
      for (let n = 0; n < data.length; n++) data[n] = rng.normal();
      return [name, { shape, data }];
    }),
  );
}
