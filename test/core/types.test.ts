import { describe, expect, expectTypeOf, it } from 'vitest';
import { type FloatArray, type Tensor, tensor } from '../../src/core/tensor.ts';
import type { Dataset } from '../../src/data/dataset.ts';
import { createModel } from '../../src/models/model.ts';

describe('types', () => {
  it('let values of either dtype be summed', () => {
    const sum = tensor([[1, 2]]).data.reduce((total, value) => total + value, 0);
    expectTypeOf(sum).toEqualTypeOf<number>();
    expectTypeOf<Float32Array>().toExtend<FloatArray>();
    expectTypeOf<Float64Array>().toExtend<FloatArray>();
    expect(sum).toBe(3);
  });

  it('let a data set, of values or tokens, have gradients', () => {
    const inputs = tensor([[[1, 2]]], undefined, 'float32');
    const data: Dataset = { name: 'one', inputs, labels: Int32Array.of(0), classes: 1 };
    const sizes = { kind: 'cp', xi: 'max', steps: 1, inputs: 2, outputs: 1, rank: 1 } as const;
    const model = createModel({ ...sizes, features: { size: 2 } });
    const gradients = model.gradients(data.inputs, model.score(data.inputs));
    expectTypeOf(gradients.inputs).toEqualTypeOf<Tensor | undefined>();
    expect(gradients.inputs?.shape).toEqual([1, 1, 2]);
    expectTypeOf(model.gradients(inputs, model.score(inputs)).inputs).toEqualTypeOf<Tensor>();
  });
});
