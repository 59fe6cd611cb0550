import type { Backend, Joined, Precision, Storage } from '../backend/interface.ts';
import { product } from '../core/extents.ts';
import type { DType } from '../core/tensor.ts';
import { type Compiled, type CompiledStep, compile } from './compile.ts';
import { volume } from './labels.ts';
import type { Program, Step } from './program.ts';

/** Where a block begins, by label. */
export type Start = ReadonlyMap<string, number>;
const ORIGIN: Start = new Map();

/** Extents and strides of a program, compiled once for the whole and once for each size of block. */
export class Compilation {
  readonly program: Program;
  readonly whole: Compiled;
  private readonly ordered: boolean;
  private readonly ends = new Map<string, Compiled>();

  constructor(program: Program, ordered = false) {
    this.program = program;
    this.ordered = ordered;
    this.whole = compile(program, undefined, ordered);
  }

  /** The blocks of the output, in order, each with what its steps are compiled for. */
  *blocks(): Generator<{ readonly start: Start; readonly compiled: Compiled }> {
    const { slices, extents } = this.program;
    const counts = slices.map(({ label, block }) => Math.ceil(extents.get(label)! / block));
    const total = product(counts);
    for (let n = 0; n < total; n++) {
      const start = new Map<string, number>();
      const size = new Map(this.whole.extents);
      let rest = n;
      slices.forEach(({ label, block }, axis) => {
        const first = (rest % counts[axis]) * block;
        rest = Math.floor(rest / counts[axis]);
        start.set(label, first);
        size.set(label, Math.min(block, extents.get(label)! - first));
      });
      yield { start, compiled: this.sized(size) };
    }
  }

  private sized(size: ReadonlyMap<string, number>): Compiled {
    const { slices } = this.program;
    if (slices.every(({ label, block }) => size.get(label) === block)) return this.whole;
    const key = slices.map(({ label }) => size.get(label)).join();
    let compiled = this.ends.get(key);
    if (!compiled) this.ends.set(key, (compiled = compile(this.program, size, this.ordered)));
    return compiled;
  }
}

interface RunOptions {
  readonly winners?: boolean;
  readonly precision?: Precision;
  /** Leaves the output out, which the gradient of a sum does not need. */
  readonly withoutLast?: boolean;
}

/** The storages of one execution: inputs, intermediates, output, and with `winners` which terms won. */
export class Run {
  readonly backend: Backend;
  readonly values: Storage[];
  readonly winners: Storage[] | undefined;
  private readonly compilation: Compilation;
  private readonly dtype: DType;
  private readonly precision: Precision | undefined;
  private readonly withoutLast: boolean;
  private readonly borrow: (storage: Storage) => Storage;
  private spare: Map<number, Storage> | undefined;

  constructor(
    compilation: Compilation,
    backend: Backend,
    dtype: DType,
    inputs: readonly Storage[],
    out: Storage,
    borrow: (storage: Storage) => Storage,
    { winners = false, precision, withoutLast = false }: RunOptions = {},
  ) {
    this.compilation = compilation;
    this.backend = backend;
    this.dtype = dtype;
    this.borrow = borrow;
    this.values = [...inputs];
    this.values[compilation.program.nodes.length - 1] = out;
    this.winners = winners ? [] : undefined;
    this.precision = precision;
    this.withoutLast = withoutLast;
  }

  /** Does every step once, or in blocks; intermediates are given up once used unless `each` is to see them. */
  all(each?: (start: Start, compiled: Compiled) => void): void {
    const { whole, program } = this.compilation;
    const keep = each !== undefined;
    if (program.slices.length === 0) {
      for (const step of whole.steps) this.step(whole, step, ORIGIN, keep);
      each?.(ORIGIN, whole);
      return;
    }
    for (const step of whole.steps) if (!step.blocked) this.step(whole, step, ORIGIN, true);
    for (const { start, compiled } of this.compilation.blocks()) {
      for (const step of compiled.steps) if (step.blocked) this.step(compiled, step, start, true);
      each?.(start, compiled);
    }
  }

  private step(compiled: Compiled, compiledStep: CompiledStep, start: Start, keep: boolean): void {
    const { step, sizes, length } = compiledStep;
    const last = step.out === compiled.program.nodes.length - 1;
    if (last && this.withoutLast) return;
    if (!last) this.values[step.out] = this.room(step.out, length, this.dtype);
    const out = this.part(compiled, step.out, start);
    if (sizes) {
      const a = this.values[step.left[0]];
      const h = this.values[step.left[1]];
      this.backend.contract(step.xi, sizes, a, h, this.values[step.right[0]], out, this.precision);
    } else {
      let arg: Storage | undefined;
      if (this.winners && step.terms.length > 0) {
        arg = this.room(-1 - step.out, Math.min(out.length, spanOf(compiledStep.form)), 'float64');
        this.winners[step.out] = arg;
      }
      const joined = this.joined(compiled, compiledStep, start);
      // A sum starts from 0, which makes +0 of −0; the maximum of one value is that value.
      this.backend.joined(isCopy(step) ? { ...joined, reduce: 'max' } : joined, out, arg);
    }
    if (keep) return;
    for (const n of step.left) if (n >= compiled.program.inputs) this.values[n].release();
    for (const n of step.right) if (n >= compiled.program.inputs) this.values[n].release();
  }

  joined(compiled: Compiled, { step, form, left, right }: CompiledStep, start: Start): Joined {
    return {
      xi: form.xi,
      combine: form.combine,
      reduce: form.reduce,
      fromUnit: form.fromUnit,
      batch: form.batch,
      rows: form.rows,
      columns: form.columns,
      terms: form.terms,
      left: step.left.map((n, at) => ({ data: this.part(compiled, n, start), strides: left[at] })),
      right: step.right.map((n, at) => ({ data: this.part(compiled, n, start), strides: right[at] })),
      outStrides: form.outStrides,
    };
  }

  /** A node's values from the first element of a block on. */
  part(compiled: Compiled, node: number, start: Start, of: readonly Storage[] = this.values): Storage {
    const offset = offsetOf(compiled, node, start);
    return offset === 0 ? of[node] : of[node].at(offset);
  }

  /** Room for an intermediate; blocks take turns with that of the first, which is the largest. */
  private room(key: number, length: number, dtype: DType): Storage {
    if (this.compilation.program.slices.length === 0)
      return this.borrow(this.backend.allocate(dtype, length));
    this.spare ??= new Map();
    let storage = this.spare.get(key);
    if (!storage) this.spare.set(key, (storage = this.borrow(this.backend.allocate(dtype, length))));
    return storage.length === length ? storage : storage.at(0, length);
  }
}

function isCopy({ left, right, terms, fromUnit }: Step): boolean {
  return left.length === 1 && right.length === 0 && terms.length === 0 && !fromUnit;
}

/** Elements from the first to the last of out. */
function spanOf({ batch, rows, columns, outStrides }: CompiledStep['form']): number {
  return [...batch, ...rows, ...columns].reduce(
    (span, extent, axis) => span + (extent - 1) * outStrides[axis],
    1,
  );
}

/** How far into a node a block begins: only inputs and the output are larger than a block. */
function offsetOf({ program, strides }: Compiled, node: number, start: Start): number {
  if (start.size === 0 || (node >= program.inputs && node !== program.nodes.length - 1)) return 0;
  let offset = 0;
  for (const [label, first] of start) offset += first * (strides[node].get(label) ?? 0);
  return offset;
}

export function outputSize(program: Program): number {
  return volume(program.output, program.extents);
}
