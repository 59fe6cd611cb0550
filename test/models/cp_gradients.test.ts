import { describe, expect, it } from 'vitest';
import { selectBackend } from '../../src/backend/select.ts';
import { Rng } from '../../src/core/rng.ts';
import type { Tensor } from '../../src/core/tensor.ts';
import { XI, XI_NAMES, type Xi } from '../../src/core/xi.gen.ts';
import { createModel } from '../../src/models/model.ts';
import { random } from '../support/models.ts';

const SMOOTH = XI_NAMES.filter((xi) => XI[xi].bound !== 'pieces');
const [OUTPUTS, INPUTS, M] = [2, 3, 4];

/** A network of so many columns and examples that its backward pass takes more than one block of each. */
const LARGE = { batch: 260, rank: 230, steps: 10 };

/** Σ dScores · score of the definition, from f = A x + b, with its gradients by the chain rule in plain loops. */
function defined(
  xi: Xi,
  { batch, rank, steps }: typeof LARGE,
  p: Readonly<Record<string, Tensor>>,
  x: Tensor,
  d: Tensor,
) {
  const { value, dx, dy, unit } = XI[xi];
  const [A, b, lambda, v] = ['features.A', 'features.b', 'lambda', 'v'].map((name) => p[name].data);
  const shared = p.v.shape.length === 2;
  const to = {
    A: new Float64Array(A.length),
    b: new Float64Array(M),
    inputs: new Float64Array(x.data.length),
  };
  const [dlambda, dv] = [lambda, v].map(({ length }) => new Float64Array(length));
  for (let n = 0; n < batch; n++) {
    const row = (t: number) => (n * steps + t) * INPUTS;
    const f = Array.from({ length: steps }, (_, t) =>
      Array.from({ length: M }, (_, m) => {
        let sum = b[m];
        for (let i = 0; i < INPUTS; i++) sum += A[m * INPUTS + i] * x.data[row(t) + i];
        return sum;
      }),
    );
    const df = f.map(() => new Float64Array(M));
    for (let r = 0; r < rank; r++) {
      const at = (t: number) => ((shared ? 0 : t * rank) + r) * M;
      const z = f.map((features, t) => features.reduce((sum, value, m) => sum + value * v[at(t) + m], 0));
      const states = [unit];
      for (const operand of z) states.push(value(states[states.length - 1], operand));
      let gradient = 0;
      for (let c = 0; c < OUTPUTS; c++) {
        gradient += d.data[n * OUTPUTS + c] * lambda[r * OUTPUTS + c];
        dlambda[r * OUTPUTS + c] += d.data[n * OUTPUTS + c] * states[steps];
      }
      for (let t = steps - 1; t >= 0; t--) {
        const dz = gradient * dy(states[t], z[t]);
        gradient *= dx(states[t], z[t]);
        for (let m = 0; m < M; m++) {
          dv[at(t) + m] += dz * f[t][m];
          df[t][m] += dz * v[at(t) + m];
        }
      }
    }
    for (let t = 0; t < steps; t++) {
      for (let m = 0; m < M; m++) {
        to.b[m] += df[t][m];
        for (let i = 0; i < INPUTS; i++) {
          to.A[m * INPUTS + i] += df[t][m] * x.data[row(t) + i];
          to.inputs[row(t) + i] += df[t][m] * A[m * INPUTS + i];
        }
      }
    }
  }
  return { 'features.A': to.A, 'features.b': to.b, lambda: dlambda, v: dv, inputs: to.inputs };
}

describe('the gradients of CP over several blocks', () => {
  const { backend } = selectBackend();
  const cases = SMOOTH.flatMap((xi) => [false, true].map((shared) => [xi, shared] as const));
  it.each(cases)('of %s, shared %s', (xi, shared) => {
    const model = createModel({
      ...{ kind: 'cp', xi, shared, dtype: 'float64', backend, seed: 2 },
      ...{ steps: LARGE.steps, inputs: INPUTS, outputs: OUTPUTS, rank: LARGE.rank },
      features: { size: M, activation: 'identity' },
    });
    const rng = new Rng(4);
    const named = Object.fromEntries(
      Object.entries(model.parameters).map(([name, { shape, dtype }]) => {
        const tensor = random(shape, dtype, rng.below(1000));
        return [name, { ...tensor, data: tensor.data.map((value) => 0.7 * value) as Float64Array }];
      }),
    );
    model.setParameters(named);
    const x = random([LARGE.batch, LARGE.steps, INPUTS], 'float64', 5);
    const d = random([LARGE.batch, OUTPUTS], 'float64', 6);
    const wanted = defined(xi, LARGE, named, x, d);
    const { parameters, inputs } = model.gradients(x, d);
    const got: Readonly<Record<string, Tensor>> = { ...parameters, inputs };
    for (const [name, values] of Object.entries(wanted)) {
      const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      expect(largest, name).toBeGreaterThan(0);
      const apart = values.reduce((most, value, n) => Math.max(most, Math.abs(value - got[name].data[n])), 0);
      expect(apart / largest, name).toBeLessThan(1e-11);
    }
  });
});
