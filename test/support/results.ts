import { type PerformanceRecord, parameterCount } from '../../src/experiments/performance.ts';
import { performancePlan, showcaseRun } from '../../src/experiments/performance_plan.ts';
import { checkStudy, FIGURES } from '../../src/experiments/rank_config.ts';
import { summarize } from '../../src/experiments/ranks.ts';
import type { DataRecord, ResultSettings, Results } from '../../src/experiments/results.ts';

export const DATA: readonly DataRecord[] = [
  {
    name: 'mnist',
    source: 'mnist',
    steps: 16,
    inputs: 49,
    outputs: 10,
    embedding: false,
    tokens: false,
    train: 60000,
    test: 10000,
  },
  {
    name: 'splice',
    source: 'splice',
    steps: 60,
    inputs: 4,
    outputs: 3,
    embedding: false,
    tokens: false,
    train: 2548,
    test: 638,
  },
];
export const SETTINGS: ResultSettings = {
  ...{ format: 'xitensor-results', version: 1, quick: true, seed: 3, seeds: 2, data: DATA },
};
const machine = { processor: 'A <b>fast</b> & "odd" one', cores: 2, platform: 'linux-x64', node: 'v20' };
const measured = { seconds: 4, backend: 'reference', isa: 'plain', machine };

/** Results with every part, from figures that nobody computed. */
export function someResults(): Results {
  const performance = performancePlan(SETTINGS).map((run, n): PerformanceRecord => {
    const shape = DATA.find(({ name }) => name === run.dataset)!;
    const history = [0.5, 0.75].map((accuracy) => ({
      loss: 1,
      accuracy,
      testLoss: 1,
      testAccuracy: accuracy + n / 1000,
    }));
    return {
      ...run,
      parameters: parameterCount(run, shape),
      history,
      diverged: false,
      threads: 1,
      ...measured,
    };
  });
  const studies = (['3', '4', '5'] as const).map((figure) => {
    const study = checkStudy({ ...FIGURES[figure], networks: 3 });
    const records = study.ranks.flatMap((R) =>
      [0, 1, 2].map((index) => ({ R, index, rank: 10 * R + index, gap: 5 })),
    );
    const spectra = study.ranks.map((R) => ({
      R,
      index: 1,
      rank: 10 * R + 1,
      tolerance: 1e-10,
      values: [1, 0.1, 0],
    }));
    return { figure, study, distributions: summarize(study, records, figure), spectra, ...measured };
  });
  const run = showcaseRun(SETTINGS)!;
  const bound = { paper: 3, refined: 4, joint: 5, impossible: false };
  const spectrum = { rank: 7, tolerance: 1e-10, values: [1, 0.5], entropy: 0.5, effectiveRank: 1.65 };
  const check = { source: 'here', instances: 2 };
  return {
    ...{ settings: SETTINGS, performance, studies, showcase: { run, drawing: 'x <─ y' } },
    certificate: {
      ...{
        run,
        templates: 100,
        samples: 256,
        seed: 3,
        rank: 8,
        prime: 13,
        rows: 9,
        columns: 9,
        bound,
        equalWidth: 6,
        spectrum,
      },
      ...{ modelDigest: 'sha256:aa', templatesDigest: 'sha256:bb', ...measured },
    },
    verification: {
      ...{ seed: 3, ...measured },
      checks: [
        {
          ...check,
          id: 'a',
          statement: 'M > 1, "quoted"',
          kind: 'violations',
          figure: 0,
          tolerance: 0,
          pass: true,
        },
        {
          ...check,
          id: 'b',
          statement: 'false',
          kind: 'relative error',
          figure: 2e-3,
          tolerance: 1e-12,
          pass: false,
        },
      ],
    },
    comparison: {
      machine,
      timings: [
        { name: 'reference', isa: 'plain', threads: 1, milliseconds: 9, repetitions: 5, difference: 0 },
      ],
      refused: [{ name: 'native', reason: 'none <here>' }],
    },
  };
}
