import type { Results } from '../experiments/results.ts';
import { html, Markup } from './markup.ts';
import { backendsSection, verificationSection } from './sections/checks.ts';
import { curvesSection } from './sections/curves.ts';
import { figure2Section } from './sections/figure2.ts';
import { foldsSection } from './sections/folds.ts';
import { showcaseSection } from './sections/showcase.ts';
import { spectraSection } from './sections/spectra.ts';
import { studiesSection } from './sections/studies.ts';
import { summarySection } from './sections/summary.ts';
import { table1Section } from './sections/table1.ts';
import { STYLE } from './style.ts';

/** The parts of the page, with what the navigation calls them. */
const SECTIONS: readonly (readonly [
  anchor: string,
  name: string,
  section: (results: Results) => Markup | null,
])[] = [
  ['table1-h', 'Table 1', table1Section],
  ['figure2-h', 'Figure 2', figure2Section],
  ['curves-h', 'Accuracy by epoch', curvesSection],
  ['folds-h', 'Cross-validation', foldsSection],
  ['studies-h', 'Figures 3–5', studiesSection],
  ['spectra-h', 'Spectra', spectraSection],
  ['network-h', 'Networks and certificate', showcaseSection],
  ['verify-h', 'Theorems', verificationSection],
  ['backends-h', 'Backends', backendsSection],
];

/**
 * One HTML page with everything that the results hold, which needs nothing beside it: no network, no script.
 *
 * @param madeOn what the line at the end says of the time; it is the only thing that does not come from the results.
 */
export function renderReport(results: Results, madeOn: string): string {
  const parts = SECTIONS.flatMap(([anchor, name, section]) => {
    const content = section(results);
    return content ? [{ anchor, name, content }] : [];
  });
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>xitensor: generalized tensor networks, results</title>
<link rel="icon" href="data:,">
<style>${new Markup(STYLE)}</style>
</head>
<body>
<header>
<h1>Generalized tensor models for recurrent networks</h1>
<p class="lead">The experiments of Khrulkov, Hrinchuk &amp; Oseledets (ICLR 2019), run again with xitensor: networks in which the product is replaced by an operator ξ.</p>
${summarySection(results)}
<nav aria-label="Contents"><ul>${parts.map(({ anchor, name }) => html`<li><a href="#${anchor}">${name}</a></li>`)}</ul></nav>
</header>
<main>
${parts.map(({ content }) => content)}
</main>
<footer><p>Made on ${madeOn}.</p></footer>
</body>
</html>
`;
  return page.text;
}
