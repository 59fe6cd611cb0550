import { describe, expect, it } from 'vitest';
import { selectBackend } from '../../src/backend/select.ts';
import { type ContractOptions, contract, contractGradient } from '../../src/contract/contract.ts';
import { parseExpression } from '../../src/contract/expression.ts';
import { type Tensor, tensor, zeros } from '../../src/core/tensor.ts';
import { refusal } from '../support/models.ts';

const backend = selectBackend({ prefer: ['reference'] }).backend;
const of = (...shapes: number[][]) => shapes.map((shape) => zeros(shape, 'float64'));

describe('expressions', () => {
  it.each([
    ['ij,jk->ik', ['ij', 'jk'], 'ik'],
    ['ij,jk', ['ij', 'jk'], 'ik'],
    ['ba', ['ba'], 'ab'],
    ['ab,ab', ['ab', 'ab'], ''],
    ['bB,b', ['bB', 'b'], 'B'],
    ['; ik , kj -> i j', ['ik', 'kj'], 'ij'],
    ['ijk; bi,bj -> bk', ['ijk', 'bi', 'bj'], 'bk'],
    ['; a, -> a', ['a', ''], 'a'],
    ['αβ,βγ->αγ', ['αβ', 'βγ'], 'αγ'],
    ['', [''], ''],
  ])('%s', (text, inputs, output) => {
    const parsed = parseExpression(text);
    expect(parsed.inputs.map((labels) => labels.join(''))).toEqual(inputs);
    expect(parsed.output.join('')).toBe(output);
  });

  it.each([
    ['ij;jk;k->i', /one ';'/],
    ['; i->j->k', /one '->'/],
    ['; ij,jk', /an output: '-> labels'/],
    ['; i1,j -> i', /letters only in operand 0 \(i1\), not '1'/],
    ['i…; i -> i', /letters only in the weights, not '…'/],
    ['; i,j -> i.', /letters only in the output, not '\.'/],
    ['; ij -> ii', /index i once in the output/],
    ['; ij -> ik', /index k of the output in an operand/],
  ])('%s is malformed', (text, message) => {
    expect(() => parseExpression(text)).toThrow(refusal('E_ARGUMENT', message));
  });

  it('says what of a tensor does not fit together', () => {
    const [x] = of([2, 3]);
    const odd = (parts: object) => [{ ...x, ...parts } as Tensor];
    expect(() => contract('; ij -> i', odd({ dtype: 'float32' }), { xi: 'sum', backend })).toThrow(
      refusal('E_DTYPE', /operand 0 \(ij\): expected the dtype of its data, float64, received 'float32'$/),
    );
    expect(() => contract('; ij -> i', odd({ shape: Int32Array.of(2, 3) }), { xi: 'sum', backend })).toThrow(
      refusal('E_SHAPE', /operand 0 \(ij\) shape: expected a list of extents, received Int32Array/),
    );
  });

  it('names index and operand where extents disagree', () => {
    const call = (text: string, operands: Tensor[]) => () => contract(text, operands, { xi: 'max', backend });
    expect(call('ijk; bi,bj -> bk', of([2, 3, 4], [5, 2], [5, 9]))).toThrow(
      refusal(
        'E_SHAPE',
        /operand 2 \(bj\) index j: expected extent 3 as in contract operand 0 \(ijk\), received 9/,
      ),
    );
    expect(call('; ii -> i', of([2, 3]))).toThrow(
      refusal('E_SHAPE', /operand 0 \(ii\) index i: expected extent 2/),
    );
    expect(call('; ij,j -> i', of([2, 3], [3, 1]))).toThrow(
      refusal('E_SHAPE', /operand 1 \(j\): expected 1 axes/),
    );
    expect(call('; ij,j -> i', of([2, 3]))).toThrow(
      refusal(
        'E_ARGUMENT',
        /expected 2 tensors for '; ij,j -> i', received 1 of shapes \[2, 3\]: none for operand 1 \(j\)$/,
      ),
    );
    expect(call('ij; jk,k -> i', of([2, 3]))).toThrow(
      refusal('E_ARGUMENT', /received 1 of shapes \[2, 3\]: none for operand 1 \(jk\), operand 2 \(k\)$/),
    );
    expect(call('; ij,j -> i', of([2, 3], [3], [4]))).toThrow(
      refusal('E_ARGUMENT', /received 3 of shapes \[2, 3\], \[3\], \[4\]$/),
    );
    expect(call('; ij,j -> i', [])).toThrow(
      refusal(
        'E_ARGUMENT',
        /expected a list of tensors, as many as '; ij,j -> i' has operands \(2\), received \[\]/,
      ),
    );
    expect(call('; i,i -> i', of([1], [3]))).toThrow(refusal('E_SHAPE', /index i: expected extent 1/));
  });

  it('refuses what is no operand', () => {
    const call =
      (...operands: unknown[]) =>
      () =>
        contract('; i,i -> i', operands as Tensor[], { xi: 'sum', backend });
    expect(call(1, zeros([1]))).toThrow(refusal('E_ARGUMENT', /operand 0 \(i\): expected a Tensor/));
    expect(call(zeros([2], 'float32'), zeros([2], 'float64'))).toThrow(
      refusal('E_DTYPE', /operand 1 \(i\): expected float32, received 'float64'/),
    );
    expect(call(zeros([2]), { ...zeros([2]), data: new Float32Array(3) })).toThrow(
      refusal('E_SHAPE', /operand 1 \(i\): expected 2 elements for shape \[2\], received 3/),
    );
    expect(call(tensor([1, Number.NaN]), tensor([1, 2]))).toThrow(
      refusal('E_NUMERIC', /operand 0 \(i\): expected no NaN, received one at element 1/),
    );
    const long = new Float64Array(1000);
    long[700] = Number.NaN;
    expect(call(tensor(long), tensor(new Float64Array(1000)))).toThrow(refusal('E_NUMERIC', /element 700/));
    expect(() => contract('; i -> i', [] as Tensor[], { xi: 'sum' })).toThrow(
      refusal('E_ARGUMENT', /a list of tensors/),
    );
  });

  it('refuses options that it does not know', () => {
    const call =
      (options: unknown, text = '; i,i -> i') =>
      () =>
        contract(text, of([2], [2]), options as ContractOptions);
    expect(call({ backend })).toThrow(refusal('E_ARGUMENT', /xi: expected one of product, .*undefined/));
    expect(call({ xi: 'plus' })).toThrow(refusal('E_ARGUMENT', /xi: expected one of/));
    expect(call({ xi: 'sum', reduce: 'prod' })).toThrow(
      refusal('E_ARGUMENT', /reduce: expected one of sum, max/),
    );
    expect(call({ xi: 'sum', reduction: 'max' })).toThrow(refusal('E_ARGUMENT', /options among xi, reduce/));
    expect(call({ xi: 'sum', maxBytes: -1 })).toThrow(refusal('E_ARGUMENT', /maxBytes/));
    expect(call({ xi: 'max' }, 'i,i->i')).toThrow(refusal('E_ARGUMENT', /a semicolon before the operands/));
    expect(call(null)).toThrow(refusal('E_ARGUMENT', /\{ xi \}/));
    // Known shapes do not excuse another call's options.
    expect(contract('; i,i -> i', of([2], [2]), { xi: 'product', backend }).shape).toEqual([2]);
    expect(call({ backend })).toThrow(refusal('E_ARGUMENT', /xi/));
  });

  it('refuses a cotangent of another shape', () => {
    const call = () =>
      contractGradient('; ij -> i', of([2, 3]), zeros([3], 'float64'), { xi: 'sum', backend });
    expect(call).toThrow(refusal('E_SHAPE', /dout: expected shape \[2\]/));
  });
});
