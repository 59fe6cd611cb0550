import { mismatch } from '../core/errors.ts';
import { elementCount, type Inputs, isTokens, type Tensor, zeros } from '../core/tensor.ts';
import type { ModelConfig } from '../models/config.ts';

/**
 * Templates as rows of inputs [M,N]: tokens [M] become the one-hot rows that they stand for; a tensor is for others to check.
 *
 * @throws XiError E_SHAPE for tokens that are no list, E_ARGUMENT for one that is no input of the model.
 */
export function templateRows(
  where: string,
  { inputs, dtype }: Pick<ModelConfig, 'inputs' | 'dtype'>,
  templates: Inputs,
): Tensor {
  if (!isTokens(templates)) return templates;
  const { shape, data } = templates;
  if (shape.length !== 1 || elementCount(shape, where) !== data.length)
    throw mismatch('E_SHAPE', `${where} templates`, 'tokens [M], one for each template', shape);
  const bad = data.findIndex((token) => token < 0 || token >= inputs);
  if (bad >= 0)
    throw mismatch('E_ARGUMENT', `${where} templates[${bad}]`, `a token from 0 to ${inputs - 1}`, data[bad]);
  const rows = zeros([data.length, inputs], dtype);
  data.forEach((token, m) => {
    rows.data[m * inputs + token] = 1;
  });
  return rows;
}
