import { mismatch } from './errors.ts';
import type { Inputs, Tensor } from './tensor.ts';

/** Tensors by name: an object, as `model.parameters` is, or a Map, as files are read into. */
export type TensorsByName<T extends Inputs = Tensor> = Readonly<Record<string, T>> | ReadonlyMap<string, T>;

/** Tensors by name as a Map, whatever they are. @throws XiError E_ARGUMENT for what has no names, such as a list. */
export function byName<T extends Inputs>(where: string, named: TensorsByName<T>): ReadonlyMap<string, T> {
  const tag = Object.prototype.toString.call(named);
  if (tag === '[object Map]') return named as ReadonlyMap<string, T>;
  if (tag === '[object Object]') return new Map(Object.entries(named));
  throw mismatch('E_ARGUMENT', where, 'tensors by name, in an object or a Map', named);
}
