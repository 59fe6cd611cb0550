import type { Backend, Storage } from '../backend/interface.ts';
import { borrowing } from '../backend/storage.ts';
import { aborted, checkCallback, checkSignal, integer, knownKeys, oneOf } from '../core/errors.ts';
import { product } from '../core/extents.ts';
import { checkMemory, MOST_BYTES } from '../core/memory.ts';
import { atOnce, type Parts } from '../core/parts.ts';
import {
  allocate,
  BYTES,
  checkTensor,
  DTYPES,
  type DType,
  elementCount,
  type FloatArray,
  type Inputs,
  type Tensor,
  tensor,
} from '../core/tensor.ts';
import { XI } from '../core/xi.gen.ts';
import { dense, featuresForward, transposed } from '../features/features.ts';
import { wideModel } from '../models/convert.ts';
import { checkModel, type Model } from '../models/model.ts';
import { BLOCK_BYTES, blocksOf, bytesBesides, rowsOf } from './blocks.ts';
import { isLeaf, type Join, type JoinTree, joinTree, type Leaf, type Node } from './joins.ts';
import { templateRows } from './templates.ts';

/** Limits of {@link gridTensor}, and how it tells of itself. */
export interface GridOptions {
  /** Stops between two blocks with E_ABORTED, if it was aborted before the call or by `onProgress`: nothing else runs meanwhile. */
  readonly signal?: AbortSignal;
  /** After each block: entries computed, and all of them. */
  readonly onProgress?: (done: number, total: number) => void;
  /** float64 evaluates a model of float32 in float64, which ranks want; that of the model when left out. */
  readonly dtype?: DType;
  /** Most bytes of the tensor, of a block and of the states that are kept, together; by default 2³¹. */
  readonly maxBytes?: number;
}

/**
 * The grid tensor of a model: its scores of every sequence of T templates.
 *
 * `Γ[i_1, …, i_T, c] = score(x_{i_1}, …, x_{i_T})[c]`; templates [M,N], or tokens [M] that stand for one-hot rows, result [M,…,M,outputs]. Prefixes share their states
 * (TT, CP), subtrees theirs (HT), so that the cost is about that of the last join, 2·M^T·L·R·outputs operations or less.
 * The memory is that of the result, of one block of 64 MiB, and of the states of subtrees and rows that do not fit into it. In float32 rounding adds singular values of some 1e-7 of the
 * largest: for ranks say `dtype: 'float64'`, which widens model and templates. Khrulkov, Hrinchuk & Oseledets 2019, section 4.
 *
 * @throws XiError E_MEMORY, before anything is allocated, when result and block exceed `maxBytes`; E_ABORTED; E_ARGUMENT; E_SHAPE,
 * E_DTYPE or E_NUMERIC when the templates do not fit the model.
 */
export function gridTensor(model: Model, templates: Inputs, options: GridOptions = {}): Tensor {
  knownKeys('gridTensor', options, ['dtype', 'signal', 'onProgress', 'maxBytes']);
  checkSignal('gridTensor', options.signal);
  checkCallback('gridTensor onProgress', options.onProgress);
  const { config } = checkModel('gridTensor', model);
  const wider = DTYPES.slice(DTYPES.indexOf(config.dtype));
  const dtype = oneOf('gridTensor dtype', options.dtype ?? config.dtype, wider);
  const { steps, outputs, inputs } = config;
  const rows = templateRows('gridTensor', config, templates);
  const given = checkTensor('gridTensor templates', rows, [-1, inputs], config.dtype);
  const counts = new Array<number>(steps).fill(given.shape[0]);
  const shape = [...counts, outputs];
  checkGrid(shape, dtype, 0, options.maxBytes);
  const besides = bytesBesides(joinTree(model).root, counts, BYTES[dtype]);
  checkGrid(shape, dtype, besides, options.maxBytes);
  const wide = dtype === config.dtype ? model : wideModel(model);
  const F = templateFeatures(wide, dtype === config.dtype ? given : tensor(given, undefined, dtype));
  const choice = counts.map((count) => Array.from({ length: count }, (_, m) => m));
  const data = gridOf(wide.backend, dtype, joinTree(wide), F, choice, options);
  return { dtype, shape, data };
}

/** F [M, features], F[m,:] = f(x_m). */
export function templateFeatures(model: Model, templates: Tensor): Tensor {
  const { backend, config } = model;
  const { inputs: N, features, dtype } = config;
  const { data, shape } = checkTensor('templates', templates, [-1, N], dtype);
  const rows = shape[0];
  const { size: M, activation } = features;
  const { 'features.A': A, 'features.b': b } = model.parameters;
  const values = borrowing((borrow) => {
    const put = (from: FloatArray) => borrow(backend.adopt(from));
    const F = borrow(backend.allocate(dtype, rows * M));
    featuresForward(backend, { rows, N, M, activation }, put(data), put(A.data), put(b.data), F);
    return F.read();
  });
  return { dtype, shape: [rows, M], data: values };
}

function checkGrid(shape: readonly number[], dtype: DType, besides: number, maxBytes = MOST_BYTES): void {
  const count = product(shape);
  const bytes = count * BYTES[dtype] + Math.max(BLOCK_BYTES, besides);
  integer('gridTensor maxBytes', maxBytes, 0, Number.MAX_SAFE_INTEGER);
  checkMemory('gridTensor', `shape [${shape.join(', ')}] of ${dtype} with its block`, bytes, { maxBytes });
  elementCount(shape, 'gridTensor');
}

/**
 * The grid over some of the templates: choice[t] lists those that are shown at step t, F [M,features] has the features of
 * all. Row-major over the choices of every mode, then the outputs.
 */
export function gridOf(...args: Parameters<typeof gridParts>): FloatArray {
  return atOnce(gridParts(...args));
}

/** {@link gridOf} in parts, a block each. */
export function* gridParts(
  backend: Backend,
  dtype: DType,
  { xi, root }: JoinTree,
  F: Tensor,
  choice: readonly (readonly number[])[],
  { signal, onProgress }: GridOptions = {},
): Parts<FloatArray> {
  const counts = choice.map((list) => list.length);
  const total = rowsOf(root, counts);
  let out: FloatArray | undefined;
  const minors = new Map<Node, Storage>();
  const kept: Storage[] = [];
  const keep = (storage: Storage) => {
    kept.push(storage);
    return storage;
  };
  const adopt = (values: FloatArray) => keep(backend.adopt(values));
  const cores = new Map<Join, Storage>();

  /** Values of a node that are needed by many rows of its sibling: computed once, whole. */
  const whole = (node: Node): Storage => {
    const known = minors.get(node);
    if (known) return known;
    const values = isLeaf(node) ? leafValues(node) : evaluate(node, 0, rowsOf(node, counts)).values;
    minors.set(node, keep(values));
    return values;
  };
  const leafValues = ({ mode, width, projection }: Leaf): Storage => {
    const features = F.shape[1];
    const rows = choice[mode].length;
    const values = backend.allocate(dtype, rows * width);
    borrowing((borrow) => {
      const shown = allocate(dtype, rows * features);
      choice[mode].forEach((m, n) => {
        shown.set(F.data.subarray(m * features, (m + 1) * features), n * features);
      });
      const [f, C] = [shown, projection].map((array) => dense(borrow(backend.adopt(array)), features));
      backend.matmul(rows, width, features, f, transposed(C), dense(values, width), false);
    });
    return values;
  };
  /** Rows [begin, end) of a node, and perhaps some more around them: `first` says where they begin. */
  const evaluate = (node: Node, begin: number, end: number): { values: Storage; first: number } => {
    if (isLeaf(node)) {
      const all = leafValues(node);
      return { values: all, first: 0 };
    }
    const M = rowsOf(node.minor, counts);
    const minor = whole(node.minor);
    const [from, to] = [Math.floor(begin / M), Math.ceil(end / M)];
    const values = backend.allocate(dtype, (to - from) * M * node.width);
    const core = coreOf(node);
    if (node.major === null) {
      const unit = backend.allocate(dtype, node.R);
      unit.fill(XI[xi].unit);
      joinRows(backend, xi, node, { P: 1, M }, unit, minor, core, values);
      unit.release();
    } else {
      const { values: major, first } = evaluate(node.major, from, to);
      const rows = major.at((from - first) * node.R, (to - from) * node.R);
      joinRows(backend, xi, node, { P: to - from, M }, rows, minor, core, values);
      major.release();
    }
    return { values, first: from * M };
  };
  const coreOf = (node: Join): Storage | null => {
    if (node.core.form === 'none') return null;
    const known = cores.get(node) ?? adopt(node.core.values);
    cores.set(node, known);
    return known;
  };

  try {
    for (const [begin, end] of blocksOf(root, counts, BYTES[dtype])) {
      if (signal?.aborted) throw aborted(`gridTensor: stopped after ${begin} of ${total} rows`, signal);
      const { values, first } = evaluate(root, begin, end);
      // A block of everything is the result.
      if (values.length === total * root.width) out = values.take();
      else {
        out ??= allocate(dtype, total * root.width);
        out.set(
          values.at((begin - first) * root.width, (end - begin) * root.width).take(),
          begin * root.width,
        );
        values.release();
      }
      onProgress?.(end * root.width, total * root.width);
      yield;
    }
  } finally {
    for (const storage of kept) storage.release();
  }
  return out ?? allocate(dtype, 0);
}

/** `out[p,m,:]` of one join from rows of its major child and all of its minor one. */
function joinRows(
  backend: Backend,
  xi: JoinTree['xi'],
  { core, R, minor: { width: L }, width: K }: Join,
  { P, M }: { readonly P: number; readonly M: number },
  major: Storage,
  minor: Storage,
  weights: Storage | null,
  out: Storage,
): void {
  if (core.form === 'full') {
    backend.contractGrid(xi, { P, M, L, R, K }, minor, major, weights!, out);
    return;
  }
  const pair = [
    { data: major, strides: [R, 0, 1] },
    { data: minor, strides: [0, R, 1] },
  ];
  const common = { xi, combine: 'product', reduce: 'sum', fromUnit: false, batch: [], left: pair } as const;
  if (weights === null) {
    backend.joined(
      { ...common, rows: [P, M, R], columns: [], terms: [], right: [], outStrides: [M * R, R, 1] },
      out,
    );
    return;
  }
  const right = [{ data: weights, strides: [1, K] }];
  backend.joined(
    { ...common, rows: [P, M], columns: [K], terms: [R], right, outStrides: [M * K, K, 1] },
    out,
  );
}
