import type { ConformanceCase } from './case.ts';
import { contractCases } from './contract.ts';
import { familyCases } from './families.ts';
import { foldCases } from './folds.ts';
import { goldenCases } from './golden.ts';
import { gridCases } from './grid.ts';
import { kernelCases } from './kernels.ts';
import { learningCases } from './learning.ts';
import { precisionCases } from './precision.ts';
import { ruleCases } from './rules.ts';

/** Everything that every backend and instruction set must do alike. */
export const suite: readonly ConformanceCase[] = [
  ...goldenCases,
  ...contractCases,
  ...familyCases,
  ...foldCases,
  ...gridCases,
  ...kernelCases,
  ...learningCases,
  ...precisionCases,
  ...ruleCases,
];
