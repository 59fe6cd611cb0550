import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { contract, contractGradient } from '../../src/contract/contract.ts';
import { mismatch, naming, show, XiError } from '../../src/core/errors.ts';
import { type NestedArray, tensor, tokens, zeros } from '../../src/core/tensor.ts';
import { createModel } from '../../src/models/model.ts';

const model = createModel({
  ...{ kind: 'tt', xi: 'rectifier', steps: 2, inputs: 3, outputs: 1, rank: 2 },
  features: { size: 3 },
});

describe('what an error shows of a value', () => {
  it.each<[unknown, string]>([
    [tensor([[1, 2]]), 'Tensor float64 [1, 2]'],
    [tokens([1]), 'Tensor int32 [1]'],
    [new Map([[1, 2]]), 'Map'],
    [new Date(0), 'Date'],
    [new URL('file:///m'), 'URL'],
    [new ArrayBuffer(8), 'ArrayBuffer'],
    [new Uint8Array(8), 'Uint8Array(8 bytes)'],
    [3n, '3n'],
    [{}, '{}'],
    [{ a: 1, b: 2 }, '{ a, b }'],
    [Object.create(null), '{}'],
    [model, 'Model { config, backend, network, block }'],
    [[tensor([1, 2]), [[]]], '[Tensor float64 [2], [[]]]'],
  ])('%#', (value, text) => {
    expect(show(value)).toBe(text);
  });

  it('is short, however deep the lists are', () => {
    const deep = (depth: number): NestedArray =>
      Array.from({ length: 20 }, () => (depth > 1 ? deep(depth - 1) : 0.125));
    expect(show(deep(4))).toHaveLength(120);
    expect(() => zeros([[1, 2], 3] as never)).toThrow(/received \[\[1, 2\], 3\]$/);
  });

  it('is in JSON with its message', () => {
    const error = mismatch('E_SHAPE', 'here', 'nothing', 1);
    expect(JSON.parse(JSON.stringify({ error }))).toEqual({
      error: { name: 'XiError', code: 'E_SHAPE', message: 'here: expected nothing, received 1' },
    });
  });
});

describe('operands that are not in a list', () => {
  const [A, B] = [tensor([[1]]), tensor([[2]])];
  const call = (f: (...args: never[]) => unknown, args: unknown[]) => () => f(...(args as never[]));
  it.each([
    ['contract', contract, [A, B]],
    ['contract.arg', contract.arg, [A, B]],
    ['contractGradient', contractGradient, [A, B, A]],
  ])('%s says so', (_, f, args) => {
    expect(call(f, ['ik,kj->ij', ...args])).toThrow(
      /operands: expected a list of tensors, received Tensor float64 \[1, 1\]; contract\(expression, \[A, B\]/,
    );
  });

  it('and what stands in the place of options', () => {
    expect(call(contract, ['ik,kj->ij', [A], B])).toThrow(/options: expected \{ xi \}, received Tensor/);
    expect(call(contract, ['ik,kj->ij', 3])).toThrow(/operands: expected a list of tensors, received 3$/);
  });
});

describe('a model', () => {
  it('is printed as it is drawn', () => {
    expect(inspect(model)).toBe(String(model));
    expect(inspect({ model }).split('\n').length).toBeLessThan(15);
  });

  it('is its configuration in JSON, of which a model can be made', () => {
    const config = JSON.parse(JSON.stringify(model));
    expect(config).toEqual(model.config);
    expect(createModel(config).parameters).toEqual(model.parameters);
    expect(new XiError('E_FILE', 'x')).toBeInstanceOf(Error);
  });
});

describe('naming', () => {
  const named = (where: string, message: string) => {
    const cause = new XiError('E_SHAPE', message);
    try {
      naming(where, () => {
        throw cause;
      });
    } catch (error) {
      return error;
    }
    return undefined;
  };

  it('prefixes a refusal with the name of the function, unless it begins with that word', () => {
    expect(named('realize', 'H: expected a tensor')).toMatchObject({
      ...{ code: 'E_SHAPE', message: 'realize H: expected a tensor' },
      cause: expect.any(XiError),
    });
    expect(named('realize', 'realize H: wrong')).toMatchObject({ message: 'realize H: wrong' });
    expect(named('realize', 'realize: wrong')).toMatchObject({ message: 'realize: wrong' });
    expect(named('fit', 'fitShallow H: wrong')).toMatchObject({ message: 'fit fitShallow H: wrong' });
  });

  it('leaves other errors and values as they are', () => {
    const other = new TypeError('H');
    expect(() =>
      naming('realize', () => {
        throw other;
      }),
    ).toThrow(other);
    expect(naming('realize', () => 3)).toBe(3);
  });
});
