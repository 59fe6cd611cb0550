import type { Results, StudyRecord } from '../../experiments/results.ts';
import type { Spectrum } from '../../experiments/spectra.ts';
import { medianOf } from '../bins.ts';
import { csvOf, framed, plots, section } from '../figure.ts';
import { html, type Markup } from '../markup.ts';
import type { Colour, Mark, Panel } from '../plot.ts';
import { powerOfTen } from '../scale.ts';
import { commandOf } from '../words.ts';

/** What is drawn below: rounding noise. */
const FLOOR = 1e-18;

/** Singular values of some networks, a plot for each figure. */
export function spectraSection({ settings, studies }: Results): Markup | null {
  const known = studies.filter(({ spectra }) => spectra.length > 0);
  if (known.length === 0) return null;
  const ranks = [...new Set(known.flatMap(({ spectra }) => spectra.map(({ R }) => R)))].slice(0, 4);
  const csv = csvOf(
    ['figure', 'xi', 'R', 'network', 'k', 'relativeSingularValue'],
    known.flatMap(({ figure, study, spectra }) =>
      spectra.flatMap(({ R, index, values }) =>
        values.map((value, k) => [figure, study.xi, R, index, k + 1, value]),
      ),
    ),
  );
  const caption = `Singular values of the matrix of scores (odd steps as rows) of ${known.every(areMedian) ? 'a network of median rank' : 'one network'} for each R, in parts of the largest. The dashed level is the tolerance: what lies above it is counted as rank.`;
  return section(
    'spectra',
    'Spectra',
    html`${framed(
      { id: 'spectra', caption, csv: ['spectra.csv', csv], command: commandOf(settings, 'expressivity') },
      plots(
        known.map(panelOf),
        ranks.map((R, n) => [(n + 1) as Colour, `R = ${R}`, 'line'] as const),
      ),
    )}`,
  );
}

/** Whether the networks are those that the histograms have in the middle; earlier versions drew the first of each R. */
const areMedian = ({ spectra, distributions }: StudyRecord) =>
  spectra.every(({ R, rank }) =>
    distributions.some((distribution) => distribution.R === R && medianOf(distribution.rank.bins) === rank),
  );

function panelOf({ figure, study, spectra }: StudyRecord): Panel {
  const shown = spectra.slice(0, 4);
  return {
    id: `spectra-${figure}`,
    title: `Networks of Figure ${figure}, ${study.xi}`,
    description: shown
      .map(
        ({ R, rank, values }) =>
          `R = ${R}: ${rank} of ${values.length} singular values are above the tolerance`,
      )
      .join('; '),
    ...spectrumAxes(shown),
    marks: [
      ...shown.map((spectrum, n) => spectrumLine(spectrum, (n + 1) as Colour)),
      { type: 'level', y: study.tolerance, label: `tolerance ${powerOfTen(study.tolerance)}` },
    ],
  };
}

type Values = Pick<Spectrum, 'values'>;

export function spectrumAxes(spectra: readonly Values[]): Pick<Panel, 'x' | 'y'> {
  return {
    x: { label: 'k', low: 1, high: Math.max(2, ...spectra.map(({ values }) => values.length)), whole: true },
    y: { label: 'singular value / largest', low: FLOOR, high: 3, log: true, format: powerOfTen },
  };
}

export function spectrumLine({ values }: Values, colour: Colour): Mark {
  const points = values.flatMap((value, k) => (value >= FLOOR ? [[k + 1, value] as const] : []));
  return { type: 'line', colour, points };
}
