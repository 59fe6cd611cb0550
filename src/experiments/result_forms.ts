import { BACKEND_NAMES } from '../backend/interface.ts';
import {
  among,
  count,
  type Form,
  figure,
  finite,
  flag,
  listOf,
  orNull,
  parts,
  perhaps,
  text,
  tuple,
  whole,
} from '../core/form.ts';
import { XI_NAMES } from '../core/xi.gen.ts';
import { MODEL_KINDS } from '../models/config.ts';
import { DATASETS } from './performance_plan.ts';
import { MOST_NETWORKS } from './rank_config.ts';
import { RESULTS_FORMAT } from './results.ts';

/** What the files of a folder of results must be: users may have edited them, and disks may have cut them short. */

const positive = whole(1, Number.MAX_SAFE_INTEGER);
const machine = parts({ processor: text, cores: positive, platform: text, node: text });
const measured = { seconds: finite, backend: text, isa: text, machine };

const DATA = parts({
  ...{ name: among(DATASETS), source: text, embedding: flag, tokens: flag },
  ...{ steps: positive, inputs: positive, outputs: positive, train: positive, test: positive },
});

export const SETTINGS: Form = parts({
  ...{ format: among([RESULTS_FORMAT]), version: among([1]), quick: flag, data: listOf(DATA, 1) },
  ...{ seed: whole(0, 2 ** 40), seeds: whole(1, 100) },
  ...{ epochs: perhaps(whole(1, 10_000)), networks: perhaps(whole(1, MOST_NETWORKS)) },
});

const run = {
  ...{ experiment: among(['table1', 'figure2', 'folds']), dataset: among(DATASETS), fold: orNull(count) },
  ...{ kind: among(MODEL_KINDS), xi: among(XI_NAMES), rank: positive, features: positive, shared: flag },
  ...{ seed: count, epochs: positive, batch: positive, learningRate: finite, schedule: text },
  ...{ limit: orNull(positive), testLimit: orNull(positive) },
};
const epoch = parts({ loss: figure, accuracy: figure, testLoss: figure, testAccuracy: figure });

export const PERFORMANCE: Form = parts({
  ...{ ...run, ...measured, parameters: positive, history: listOf(epoch), diverged: flag, threads: positive },
});

const histogram = parts({
  mean: finite,
  deviation: finite,
  bins: listOf(tuple(finite, count), 1),
});
const distribution = parts({
  ...{ figure: orNull(text), xi: among(XI_NAMES), M: positive, T: positive, L: positive, R: positive },
  ...{ shared: flag, networks: positive, tolerance: finite, impossible: count, proven: flag },
  ...{ rank: histogram, paper: orNull(histogram), refined: orNull(histogram) },
  ...{ exact: perhaps(parts({ above: count, below: count })), note: perhaps(text) },
});
const values = { rank: count, tolerance: finite, values: listOf(finite) };

export const STUDY: Form = parts({
  ...{ ...measured, figure: text, study: parts({}), distributions: listOf(distribution, 1) },
  spectra: listOf(parts({ ...values, R: positive, index: count })),
});

const bound = parts({
  ...{ paper: orNull(count), refined: orNull(count), joint: orNull(count), impossible: flag },
});

export const CERTIFICATE: Form = parts({
  ...{ ...measured, run: parts(run), templates: positive, samples: positive, seed: count, rank: count },
  ...{ prime: positive, rows: positive, columns: positive, bound, equalWidth: count },
  ...{ modelDigest: text, templatesDigest: text },
  spectrum: parts({ ...values, entropy: finite, effectiveRank: finite }),
});

const check = parts({
  ...{ id: text, statement: text, source: text, instances: positive, pass: flag },
  ...{ kind: among(['relative error', 'violations']), figure: figure, tolerance: finite },
});

export const VERIFICATION: Form = parts({ ...measured, seed: count, checks: listOf(check, 1) });

export const SHOWCASE: Form = parts({ run: parts(run), drawing: text });

const timing = parts({
  ...{ name: among(BACKEND_NAMES), isa: text, threads: positive, milliseconds: finite },
  ...{ repetitions: positive, difference: figure },
});

export const COMPARISON: Form = parts({
  machine,
  timings: listOf(timing, 1),
  refused: listOf(parts({ name: among(BACKEND_NAMES), reason: text })),
});
