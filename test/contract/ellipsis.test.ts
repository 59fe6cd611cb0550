import { describe, expect, it } from 'vitest';
import { selectBackend } from '../../src/backend/select.ts';
import { type ContractOptions, contract, contractGradient } from '../../src/contract/contract.ts';
import { parseExpression } from '../../src/contract/expression.ts';
import { Rng } from '../../src/core/rng.ts';
import { type Tensor, tensor, zeros } from '../../src/core/tensor.ts';
import { refusal } from '../support/models.ts';
import { drawTensor, normal } from '../support/operands.ts';

const { backend } = selectBackend({ prefer: ['reference'] });
const rng = new Rng(7);
const draw = (...shapes: number[][]) => shapes.map((shape) => drawTensor(rng, shape, 'float64', normal));
const of = (...shapes: number[][]) => shapes.map((shape) => zeros(shape, 'float64'));
describe('an ellipsis', () => {
  // With letters for all axes, and operands without those that they are stretched along.
  it.each<[string, number[][], string, number[][], ContractOptions]>([
    [
      'ijk; ...i,...j -> ...k',
      [
        [2, 3, 4],
        [5, 6, 2],
        [5, 6, 3],
      ],
      'ijk; abi,abj -> abk',
      [],
      { xi: 'rectifier' },
    ],
    ['...; i...,j -> ...', [[3, 2], [4, 3, 2], [5]], 'ab; iab,j -> ab', [], { xi: 'max' }],
    [
      '; ...ik,...kj -> ...ij',
      [
        [2, 1, 3, 4],
        [5, 4, 2],
      ],
      '; aik,bkj -> abij',
      [
        [2, 3, 4],
        [5, 4, 2],
      ],
      { xi: 'sum', reduce: 'max' },
    ],
    [
      '; ...,...i,b... -> b...',
      [
        [3, 1],
        [2, 2],
        [2, 1, 2],
      ],
      '; a,ci,bc -> bac',
      [[3], [2, 2], [2, 2]],
      { xi: 'l2', reduce: 'logsumexp' },
    ],
    ['; x...x, -> ...', [[3, 2, 3], []], '; xax, -> a', [], { xi: (x, y) => x * x + y }],
  ])('%s', (text, shapes, spelled, squeezed, options) => {
    const operands = draw(...shapes);
    const same = operands.map((operand, n) =>
      squeezed.length > 0 ? { ...operand, shape: squeezed[n] } : operand,
    );
    const given = typeof options.xi === 'function' ? options : { ...options, backend };
    const [result, expected] = [contract(text, operands, given), contract(spelled, same, given)];
    expect(result).toEqual(expected);
    if (typeof options.xi === 'function') return;
    const [dout] = draw([...result.shape]);
    const gradients = contractGradient(text, operands, dout, given);
    expect(gradients.map(({ shape }) => shape)).toEqual(shapes);
    const plain = ({ data }: Tensor) => data;
    expect(gradients.map(plain)).toEqual(contractGradient(spelled, same, dout, given).map(plain));
  });

  it('has room for winners and plans', () => {
    const [A] = draw([2, 2, 5]);
    const options = { xi: 'sum', reduce: 'max', backend } as const;
    const { value, indices } = contract.arg('; ...x -> ...', [A], options);
    expect(value.shape).toEqual([2, 2]);
    expect(Object.keys(indices)).toEqual(['x']);
    expect([...indices.x].map((x, n) => A.data[5 * n + x])).toEqual([...value.data]);
    const plan = contract.plan('...i,i->...', [[2, 3, 4], [4]], { backend });
    expect(plan).toMatchObject({ expression: '...i,i->...', shape: [2, 3] });
    expect(String(plan)).toContain('; abi,i -> ab');
  });

  it('has letters in plans, which say what axes they are', () => {
    const shapes = [
      [5, 1, 2],
      [4, 2],
    ];
    expect(String(contract.plan('...i,...i->...', shapes))).toMatch(
      /\nnote {4}'\.\.\.' stands for a \(5\), b \(4\), the last axis last(\n|$)/,
    );
    expect(String(contract.plan('ji,i->j', [[3, 2], [2]]))).not.toMatch(/stands for/);
  });

  it('may stand for no axis', () => {
    const [x] = draw([2]);
    expect(contract('i->...i', [x], { backend })).toEqual(x);
    expect(contract('...i->i', [x], { backend })).toEqual(x);
  });

  it('in plain einsum is the first of an output that nobody wrote', () => {
    expect(parseExpression('b...a').output).toEqual(['...', 'a', 'b']);
    expect(contract('b...a', [tensor([[[1, 2]], [[3, 4]]])], { backend })).toMatchObject({
      shape: [1, 2, 2],
      data: Float64Array.of(1, 3, 2, 4),
    });
  });

  it.each<[string, string, number[][], string, RegExp]>([
    ['two in an operand', '...i...->i', [[2, 3]], 'E_ARGUMENT', /expected one '\.\.\.' in operand 0/],
    [
      'too few axes',
      '...ij->...',
      [[2]],
      'E_SHAPE',
      /operand 0 \(\.\.\.ij\): expected 2 axes or more, received \[2\]/,
    ],
    [
      'none in the output',
      '...i->i',
      [[2, 3]],
      'E_ARGUMENT',
      /expected '\.\.\.' in the output as in an operand/,
    ],
    [
      'extents that disagree',
      'i...,...j->...',
      [
        [2, 3, 4],
        [5, 4, 2],
      ],
      'E_SHAPE',
      /operand 1 \(\.\.\.j\) axis 0: expected extent 3 as in contract operand 0 \(i\.\.\.\), or 1, received 5/,
    ],
    [
      'dots that are no ellipsis',
      '..i->i',
      [[2]],
      'E_ARGUMENT',
      /letters only in operand 0 \(\.\.i\), not '\.'/,
    ],
    ['another number of operands', '...i,...i->...', [[2]], 'E_ARGUMENT', /expected 2 tensors/],
    [
      'more axes than letters',
      '...->...',
      [new Array(53).fill(1)],
      'E_ARGUMENT',
      /at most 52 axes without a letter/,
    ],
  ])('is refused: %s', (_, text, shapes, code, message) => {
    expect(() => contract(text, of(...shapes), { backend })).toThrow(refusal(code, message));
  });
});
