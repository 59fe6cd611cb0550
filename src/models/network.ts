import type { Storage } from '../backend/interface.ts';
import type { Shape } from '../core/tensor.ts';
import type { InputRows } from '../features/features.ts';
import type { ParameterBlock } from './parameters.ts';

/**
 * The numbers of steps of the sequences in a batch, longest first, so that those which are still going on at any step are
 * the first rows.
 */
export type Lengths = Int32Array;

/** One family of networks, computing on one backend. Parameters are handed in; what a forward pass leaves behind is for the backward pass after it. */
export interface Network {
  /**
   * Scores of x [B,T,N], or of tokens [B,T], as [B,outputs]; valid until the next pass. `lengths`: only where sequences
   * may differ in length. `keep`: a backward pass follows, which may be spared work by what is kept for it.
   */
  forward(
    parameters: ParameterBlock,
    x: InputRows,
    batch: number,
    lengths?: Lengths,
    keep?: boolean,
  ): Storage;
  /** From dScores [B,outputs], after a forward pass over the same x: every gradient, and dx where wanted. */
  backward(
    parameters: ParameterBlock,
    x: InputRows,
    batch: number,
    dScores: Storage,
    gradients: ParameterBlock,
    dx?: Storage,
    lengths?: Lengths,
  ): void;
  /** Hidden states h_1 … h_T of the last forward pass, of a network that has them. */
  states?(batch: number): readonly Storage[];
  /**
   * Factor on the learning rate of one parameter. Adam moves every entry by about the rate: what a parameter moves is
   * then as many times as much as its sums have terms.
   */
  rateScale(name: string, shape: Shape): number;
}
