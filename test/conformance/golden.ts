import type { Backend } from '../../src/backend/interface.ts';
import { contract, contractGradient, outer } from '../../src/contract/contract.ts';
import { DTYPES, type DType } from '../../src/core/tensor.ts';
import { XI, XI_NAMES, type Xi } from '../../src/core/xi.gen.ts';
import {
  asTensor,
  expectClose,
  type GoldenArray,
  type GoldenNet,
  golden,
  goldenModel,
  goldenNames,
  named,
  values,
} from '../support/golden.ts';
import { type ConformanceCase, put, TOLERANCE } from './case.ts';

interface XiGolden {
  units: Record<Xi, GoldenArray>;
  binary: Record<Xi, Record<'x' | 'y' | 'out', GoldenArray>>;
  fold: Record<Xi, Record<'z' | 'out', GoldenArray>>;
  grad: Record<Xi, Record<'x' | 'y' | 'cotangent' | 'dx' | 'dy', GoldenArray>>;
  ties: (Record<'x' | 'y' | 'value', GoldenArray> & {
    xi: Xi;
    dx_range: [number, number];
    dy_range: [number, number];
    sum_range: [number, number];
  })[];
}

const xiData = golden<XiGolden>('xi.json');

/** The gradient of ξ(x, y) by way of a contraction with L = R = K = 1 and G = 1. */
function gradientOf(
  backend: Backend,
  dtype: DType,
  xi: Xi,
  x: ArrayLike<number>,
  y: ArrayLike<number>,
  w: ArrayLike<number>,
) {
  const B = x.length;
  const [a, h, dout] = [x, y, w].map((data) => put(backend, dtype, data));
  const [da, dh] = [B, B].map((length) => backend.allocate(dtype, length));
  const G = put(backend, dtype, [1]);
  const to = { da, dh, dG: backend.allocate(dtype, 1) };
  backend.contractGradient(xi, { B, L: 1, R: 1, K: 1 }, { a, h, G, dout }, to, false);
  return { dx: da.read(), dy: dh.read() };
}

/** Some of the operands probe overflow near the limits of float64; float32 has no such numbers. */
function representable(dtype: DType, ...numbers: number[]): boolean {
  const survives = (x: number) =>
    Number.isFinite(Math.fround(x)) === Number.isFinite(x) && (Math.fround(x) !== 0 || x === 0);
  return dtype === 'float64' || numbers.every(survives);
}

function binaryCase(xi: Xi, dtype: DType): ConformanceCase {
  return {
    name: `xi.json ${xi} ${dtype}: unit, values, folds, gradients`,
    run(backend) {
      const { value, gradient } = TOLERANCE[dtype];
      expectClose('unit', Float64Array.of(XI[xi].unit), values(xiData.units[xi]), 0);
      const { x, y, out } = xiData.binary[xi];
      const [xs, ys, expected] = [x, y, out].map(values);
      xs.forEach((left, n) => {
        if (!representable(dtype, left, ys[n], expected[n])) return;
        const pair = backend.allocate(dtype, 1);
        backend.outer(xi, put(backend, dtype, [left]), put(backend, dtype, [ys[n]]), pair);
        expectClose(`ξ(${left}, ${ys[n]})`, pair.read(), expected.subarray(n, n + 1), value);
      });
      const { z, out: folds } = xiData.fold[xi];
      const [count, length] = z.shape;
      for (let row = 0; row < count; row++) {
        for (let steps = 1; steps <= length; steps++) {
          const operands = values(z).slice(row * length, row * length + steps);
          const folded = backend.allocate(dtype, 1);
          backend.fold(xi, steps, 1, put(backend, dtype, operands), folded);
          const at = row * length + steps - 1;
          expectClose(`fold of ${operands}`, folded.read(), values(folds).subarray(at, at + 1), value);
        }
      }
      const g = xiData.grad[xi];
      const { dx, dy } = gradientOf(backend, dtype, xi, values(g.x), values(g.y), values(g.cotangent));
      expectClose('∂ξ/∂x', dx, values(g.dx), gradient);
      expectClose('∂ξ/∂y', dy, values(g.dy), gradient);
    },
  };
}

function tiesCase(dtype: DType): ConformanceCase {
  return {
    name: `xi.json ties ${dtype}: values and admissible subgradients`,
    run(backend) {
      for (const tie of xiData.ties) {
        const [x, y, value] = [tie.x, tie.y, tie.value].map((array) => values(array));
        const out = backend.allocate(dtype, 1);
        backend.outer(tie.xi, put(backend, dtype, x), put(backend, dtype, y), out);
        expectClose(`${tie.xi}(${x}, ${y})`, out.read(), value, 1e-6);
        const { dx, dy } = gradientOf(backend, dtype, tie.xi, x, y, [1]);
        const ranges = [
          ['∂x', dx[0], tie.dx_range],
          ['∂y', dy[0], tie.dy_range],
          ['∂x + ∂y', dx[0] + dy[0], tie.sum_range],
        ] as const;
        for (const [what, got, [low, high]] of ranges) {
          if (!(got >= low && got <= high)) {
            throw new Error(`${tie.xi}(${x}, ${y}) ${what} is ${got}, expected from ${low} to ${high}`);
          }
        }
      }
    },
  };
}

function outerCase(dtype: DType): ConformanceCase {
  return {
    name: `outer.json ${dtype}`,
    run(backend) {
      const { cases } = golden<{ cases: { xi: Xi; A: GoldenArray; B: GoldenArray; out: GoldenArray }[] }>(
        'outer.json',
      );
      for (const { xi, A, B, out } of cases) {
        const result = outer(asTensor(A, dtype), asTensor(B, dtype), { xi, backend });
        if (result.shape.join() !== out.shape.join()) throw new Error(`${xi}: shape ${result.shape}`);
        expectClose(xi, result.data, values(out), TOLERANCE[dtype].value);
      }
    },
  };
}

function contractionCase(xi: Xi, dtype: DType): ConformanceCase {
  const file = `contraction_${xi}.json`;
  return {
    name: `${file} ${dtype}`,
    run(backend) {
      type Key = 'a' | 'h' | 'G' | 'out' | 'w' | 'grad_a' | 'grad_h' | 'grad_G';
      const data = golden<Record<Key, GoldenArray>>(file);
      const operands = [data.G, data.a, data.h].map((array) => asTensor(array, dtype));
      const expression = 'ijk; bi,bj -> bk';
      const out = contract(expression, operands, { xi, backend });
      expectClose('out', out.data, values(data.out), TOLERANCE[dtype].value);
      const gradients = contractGradient(expression, operands, asTensor(data.w, dtype), { xi, backend });
      [data.grad_G, data.grad_a, data.grad_h].forEach((expected, n) => {
        expectClose(`gradient ${n}`, gradients[n].data, values(expected), TOLERANCE[dtype].gradient);
      });
    },
  };
}

function networkCase(file: string, dtype: DType): ConformanceCase {
  return {
    name: `${file} ${dtype}: scores, states, gradients, grid`,
    run(backend) {
      const net = golden<GoldenNet>(file);
      const model = goldenModel(net, dtype, backend);
      const { value, gradient } = TOLERANCE[dtype];
      const X = asTensor(net.X, dtype);
      expectClose('scores', model.score(X).data, values(net.scores), value);
      if (net.states) {
        const states = model.states(X);
        if (states.length !== net.states.length) throw new Error(`${states.length} states`);
        states.forEach((state, t) => {
          expectClose(`h_${t + 1}`, state.data.slice(0, state.shape[1]), values(net.states![t]), value);
        });
      }
      const gradients = model.gradients(X, asTensor(net.w, dtype));
      const expectedGradients = Object.entries(named(net, net.grads));
      if (Object.keys(gradients.parameters).length !== expectedGradients.length) throw new Error('names');
      for (const [name, expected] of expectedGradients) {
        expectClose(`gradient of ${name}`, gradients.parameters[name].data, values(expected), gradient);
      }
      expectClose('gradient of X', gradients.inputs.data, values(net.grad_X), gradient);
      if (net.templates && net.grid) checkGrid(net, dtype, backend);
    },
  };
}

/** Every sequence of templates, mode t the template at step t, scored as one batch. */
function checkGrid(net: GoldenNet, dtype: DType, backend: Backend): void {
  const { templates, grid } = net as Required<GoldenNet>;
  const [M, N] = templates.shape;
  const { T, K } = net.sizes;
  const rows = values(templates);
  const count = M ** T;
  const X = new Float64Array(count * T * N);
  for (let n = 0; n < count; n++) {
    for (let t = 0; t < T; t++) {
      const m = Math.floor(n / M ** (T - 1 - t)) % M;
      X.set(rows.subarray(m * N, (m + 1) * N), (n * T + t) * N);
    }
  }
  const inputs = asTensor({ shape: [count, T, N], data: [...X] }, dtype);
  const scores = goldenModel(net, dtype, backend).score(inputs);
  if (scores.data.length !== count * K) throw new Error(`grid has ${scores.data.length} values`);
  expectClose('grid', scores.data, values(grid), TOLERANCE[dtype].value);
}

export const goldenCases: readonly ConformanceCase[] = DTYPES.flatMap((dtype) => [
  ...XI_NAMES.flatMap((xi) => [binaryCase(xi, dtype), contractionCase(xi, dtype)]),
  tiesCase(dtype),
  outerCase(dtype),
  ...goldenNames(/^(net|edge)_.*\.json$/).map((file) => networkCase(file, dtype)),
]);
