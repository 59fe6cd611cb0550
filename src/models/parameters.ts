import type { Backend, Storage } from '../backend/interface.ts';
import { mismatch, show, XiError } from '../core/errors.ts';
import { byName, type TensorsByName } from '../core/named.ts';
import { checkTensor, type DType, elementCount, type Shape, type Tensor } from '../core/tensor.ts';

/** Tensors by parameter name, in the order of the model. */
export type NamedTensors = Readonly<Record<string, Tensor>>;

/** Name and shape of every parameter, in order. */
export type Layout = readonly (readonly [name: string, shape: Shape])[];

/**
 * All parameters of a model, or something of the same shapes (gradients, moments), in one block of a backend's memory:
 * one call takes their norm, and they stay where the kernels are.
 */
export class ParameterBlock {
  readonly layout: Layout;
  readonly dtype: DType;
  readonly storage: Storage;
  private readonly parts = new Map<string, Storage>();

  constructor(backend: Backend, layout: Layout, dtype: DType) {
    this.layout = layout;
    this.dtype = dtype;
    this.storage = backend.allocate(
      dtype,
      layout.reduce((sum, [, shape]) => sum + elementCount(shape), 0),
    );
    let offset = 0;
    for (const [name, shape] of layout) {
      const count = elementCount(shape);
      this.parts.set(name, this.storage.at(offset, count));
      offset += count;
    }
  }

  get count(): number {
    return this.storage.length;
  }

  part(name: string): Storage {
    const part = this.parts.get(name);
    if (!part) throw mismatch('E_ARGUMENT', 'parameter', `one of ${this.names().join(', ')}`, name);
    return part;
  }

  names(): string[] {
    return this.layout.map(([name]) => name);
  }

  /** Copies of all tensors, with shapes of their own. */
  tensors(): Record<string, Tensor> {
    return Object.fromEntries(
      this.layout.map(([name, shape]) => [
        name,
        { dtype: this.dtype, shape: [...shape], data: this.part(name).read() },
      ]),
    );
  }

  /**
   * Sets all tensors, or none if one does not fit.
   *
   * @throws XiError E_ARGUMENT for missing or unknown names, E_SHAPE, E_DTYPE, E_NUMERIC for a tensor.
   */
  assign(where: string, named: TensorsByName): void {
    const given = checkNamed(where, this.layout, this.dtype, named);
    for (const [name, tensor] of given) this.part(name).write(tensor.data);
  }
}

/** Checks that tensors are those of a layout, by name, shape and dtype, and that they are finite. */
export function checkNamed(
  where: string,
  layout: Layout,
  dtype: DType,
  named: TensorsByName,
): ReadonlyMap<string, Tensor> {
  const given = byName(where, named);
  const names = new Set(layout.map(([name]) => name));
  const missing = [...names].filter((name) => !given.has(name));
  const unknown = [...given.keys()].filter((name) => !names.has(name));
  if (missing.length > 0 || unknown.length > 0) {
    throw new XiError(
      'E_ARGUMENT',
      `${where}: expected the parameters ${[...names].slice(0, 40).join(', ')}${names.size > 40 ? ', …' : ''}; ` +
        `missing ${show(missing)}, unknown ${show(unknown)}`,
    );
  }
  for (const [name, shape] of layout) checkTensor(`${where} ${name}`, given.get(name), shape, dtype);
  return given;
}
