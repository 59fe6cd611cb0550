import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { tensor, tokens } from '../../src/core/tensor.ts';
import { decodeNpy, encodeNpy } from '../../src/io/npy.ts';
import { decodeSafetensors } from '../../src/io/safetensors.ts';
import { decodeModel, encodeModel } from '../../src/models/files.ts';
import { make } from '../support/models.ts';

/** What a frame of a page, or a program under test, hands in: classes of the same names that are others. */
const elsewhere = (expression: string, values: object = {}) => runInNewContext(expression, values);

describe('arrays of another realm', () => {
  it('keep their dtype, and are used in place', () => {
    for (const [name, dtype] of [
      ['Float32Array', 'float32'],
      ['Float64Array', 'float64'],
    ] as const) {
      const foreign = elsewhere(`new ${name}([9, 1, 2, 3, 4]).subarray(1)`);
      expect(foreign instanceof Float32Array || foreign instanceof Float64Array).toBe(false);
      const made = tensor(foreign, [2, 2]);
      expect([made.dtype, [...made.data]]).toEqual([dtype, [1, 2, 3, 4]]);
      foreign[0] = 7;
      expect(made.data[0]).toBe(7);
    }
    expect(tensor(elsewhere('new Int16Array([1, 2])'))).toEqual(tensor([1, 2]));
    expect(tokens(elsewhere('new Int32Array([1, 2])'), [1, 2]).data).toEqual(Int32Array.of(1, 2));
  });

  it('are bytes of files', () => {
    const model = make();
    const bytes = encodeModel(model, { name: 'small' });
    const buffer = elsewhere('new Uint8Array(bytes).buffer', { bytes });
    expect(buffer instanceof ArrayBuffer).toBe(false);
    for (const given of [buffer, elsewhere('new Uint8Array(bytes)', { bytes })])
      expect(decodeModel(given).parameters).toEqual(model.parameters);
    expect(decodeSafetensors(elsewhere('new Uint8Array(bytes)', { bytes }), 'm').metadata.name).toBe('small');
    const npy = encodeNpy(tensor([1, 2]));
    expect(decodeNpy(elsewhere('new Uint8Array(npy)', { npy }), 'x')).toEqual(tensor([1, 2]));
  });
});
