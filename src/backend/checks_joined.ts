import { MAX_AXES, MAX_JOINED } from '../core/abi.gen.ts';
import { mismatch, oneOf, type XiError } from '../core/errors.ts';
import type { DType } from '../core/tensor.ts';
import { XI_NAMES } from '../core/xi.gen.ts';
import { checkApart, record, sameDtype, storageDtype } from './checks_sizes.ts';
import { type Joined, type JoinedOperand, type Kernels, REDUCTIONS, type Storage } from './interface.ts';

/** Kernels.joined and its gradient behind a check of everything that they would read or write. */
export function checkedJoined(kernels: Kernels): Pick<Kernels, 'joined' | 'joinedGradient'> {
  return {
    joined(plan, out, arg) {
      checkPlan('joined', plan, out);
      if (arg) {
        if (plan.reduce !== 'max' && plan.reduce !== 'min')
          throw mismatch('E_ARGUMENT', 'joined arg', 'a reduction with a winner, max or min', plan.reduce);
        checkOut('joined', 'arg', plan, arg, 'float64');
      }
      kernels.joined(plan, out, arg);
    },
    joinedGradient(plan, out, dout, to) {
      checkPlan('joinedGradient', plan, out);
      if (plan.reduce !== 'sum' && plan.reduce !== 'logsumexp')
        throw mismatch('E_ARGUMENT', 'joinedGradient reduce', 'sum or logsumexp', plan.reduce);
      record('joinedGradient', 'to', to, ['left', 'right']);
      checkOut('joinedGradient', 'dout', plan, dout, out.dtype);
      const expect = sameDtype('joinedGradient', 'out', out);
      checkTargets('left', plan.left, to.left, expect);
      checkTargets('right', plan.right, to.right, expect);
      kernels.joinedGradient(plan, out, dout, to);
    },
  };
}

const OPERAND = ['data', 'strides'];
const isList: (value: unknown) => boolean = Array.isArray;
const LISTS = ['batch', 'rows', 'columns', 'terms', 'left', 'right', 'outStrides'] as const;

function checkPlan(kernel: string, plan: Joined, out: Storage): void {
  record(kernel, 'plan', plan, LISTS);
  const { batch, rows, columns, terms, left, right } = plan;
  const areAxes = isList(batch) && isList(rows) && isList(columns) && isList(terms);
  if (!(areAxes && isList(left) && isList(right) && isList(plan.outStrides))) throw noList(kernel, plan);
  const dtype = storageDtype(kernel, 'out', out);
  oneOf(`${kernel} xi`, plan.xi, XI_NAMES);
  oneOf(`${kernel} combine`, plan.combine, XI_NAMES);
  oneOf(`${kernel} reduce`, plan.reduce, REDUCTIONS);
  if (left.length < 1 || left.length > MAX_JOINED || right.length > MAX_JOINED) {
    const rule = `1 to ${MAX_JOINED} operands on the left and at most as many on the right`;
    throw mismatch('E_ARGUMENT', kernel, rule, [left.length, right.length]);
  }
  const axes = batch.length + rows.length + columns.length;
  if (axes > MAX_AXES || terms.length > MAX_AXES)
    throw mismatch('E_ARGUMENT', kernel, `at most ${MAX_AXES} axes of out and of terms`, [
      axes,
      terms.length,
    ]);
  if (right.length === 0 && columns.length > 0)
    throw mismatch('E_SHAPE', `${kernel} columns`, 'none without a right side', columns);
  for (let n = 0; n < left.length; n++) checkOperand(kernel, `left ${n}`, left[n], batch, rows, terms, dtype);
  for (let n = 0; n < right.length; n++)
    checkOperand(kernel, `right ${n}`, right[n], batch, columns, terms, dtype);
  checkOut(kernel, 'out', plan, out, dtype);
}

function noList(kernel: string, plan: Joined): XiError {
  const name = LISTS.find((list) => !Array.isArray(plan[list]))!;
  return mismatch('E_ARGUMENT', `${kernel} ${name}`, 'a list', plan[name]);
}

function checkOperand(
  kernel: string,
  name: string,
  operand: JoinedOperand,
  batch: readonly number[],
  own: readonly number[],
  terms: readonly number[],
  dtype: DType,
): void {
  record(kernel, name, operand, OPERAND);
  const { data, strides } = operand;
  const where = `${kernel} ${name}`;
  if (storageDtype(kernel, name, data) !== dtype) throw mismatch('E_DTYPE', where, dtype, data.dtype);
  if (!Array.isArray(strides) || strides.length !== batch.length + own.length + terms.length) {
    const rule = `strides of ${batch.length} + ${own.length} + ${terms.length} axes`;
    throw mismatch('E_SHAPE', where, rule, strides);
  }
  const reach = new Reach(where);
  reach.add(batch, strides, 0);
  reach.add(own, strides, batch.length);
  reach.add(terms, strides, batch.length + own.length);
  reach.check(data);
}

/** Out must hold every element at a place of its own. */
function checkOut(kernel: string, name: string, plan: Joined, out: Storage, dtype: DType): void {
  const { batch, rows, columns, outStrides } = plan;
  const where = `${kernel} ${name}`;
  if (storageDtype(kernel, name, out) !== dtype) throw mismatch('E_DTYPE', where, dtype, out.dtype);
  const axes = batch.length + rows.length + columns.length;
  if (outStrides.length !== axes) throw mismatch('E_SHAPE', where, `strides of ${axes} axes`, outStrides);
  const reach = new Reach(where);
  reach.add(batch, outStrides, 0);
  reach.add(rows, outStrides, batch.length);
  reach.add(columns, outStrides, batch.length + rows.length);
  reach.check(out);
  if (axes > 1 || (axes === 1 && outStrides[0] === 0))
    checkApart(where, [...batch, ...rows, ...columns], outStrides);
}

/** Adds up how far strides go; extents and strides must be counts. */
class Reach {
  private readonly where: string;
  private last = 0;
  private empty = false;

  constructor(where: string) {
    this.where = where;
  }

  add(extents: readonly number[], strides: readonly number[], from: number): void {
    for (let axis = 0; axis < extents.length; axis++) {
      const extent = extents[axis];
      const stride = strides[from + axis];
      if (!(Number.isSafeInteger(extent) && extent >= 0 && Number.isSafeInteger(stride) && stride >= 0)) {
        throw mismatch('E_SHAPE', this.where, 'non-negative integer extents and strides', [extent, stride]);
      }
      if (extent === 0) this.empty = true;
      else this.last += (extent - 1) * stride;
    }
  }

  check(data: Storage): void {
    if (this.empty || this.last < data.length) return;
    throw mismatch('E_SHAPE', this.where, `at least ${this.last + 1} elements`, data.length);
  }
}

function checkTargets(
  side: string,
  operands: readonly JoinedOperand[],
  targets: readonly (Storage | null)[],
  expect: ReturnType<typeof sameDtype>,
): void {
  if (!Array.isArray(targets) || targets.length !== operands.length)
    throw mismatch(
      'E_SHAPE',
      `joinedGradient ${side} gradients`,
      `${operands.length} storages or null`,
      targets,
    );
  targets.forEach((target, n) => {
    if (target) expect(`${side} gradients`, target, operands[n].data.length);
  });
}
