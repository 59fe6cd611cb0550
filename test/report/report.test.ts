import { describe, expect, it } from 'vitest';
import { performanceCsv } from '../../src/experiments/performance.ts';
import { dataUrl, html } from '../../src/report/markup.ts';
import { renderReport } from '../../src/report/report.ts';
import { ticks } from '../../src/report/scale.ts';
import { formula } from '../../src/report/words.ts';
import { SETTINGS, someResults } from '../support/results.ts';
import { tagsOf } from '../support/tags.ts';

const results = someResults();
const page = renderReport(results, '2026-01-02');
const tags = tagsOf(page);
const SECTIONS = [
  'table1',
  'figure2',
  'curves',
  'folds',
  'studies',
  'spectra',
  'network',
  'verify',
  'backends',
];

describe('the page', () => {
  it.each(['<p><b></p></b>', '<p>', 'a < b', '<p id="a" id="b"></p>', 'x & y'])(
    'its checker refuses %s',
    (bad) => {
      expect(() => tagsOf(bad)).toThrow();
    },
  );

  it('has every section, ids that are unique, headings in order, and a navigation', () => {
    const ids = tags.flatMap(({ attributes }) => attributes.id ?? []);
    const links = tags.flatMap(({ attributes: { href } }) => (href?.startsWith('#') ? href.slice(1) : []));
    expect(links).toEqual(SECTIONS.map((name) => `${name}-h`));
    for (const link of links) expect(ids).toContain(link);
    expect(new Set(ids).size).toBe(ids.length);
    const levels = tags.flatMap(({ name }) => (/^h[1-6]$/.test(name) ? Number(name[1]) : []));
    for (const [n, level] of levels.entries()) expect(level - (levels[n - 1] ?? 0)).toBeLessThanOrEqual(1);
  });

  it('names every drawing, figure and section', () => {
    const named = tags.filter(
      ({ name, attributes }) =>
        ['svg', 'figure', 'section'].includes(name) && attributes['aria-hidden'] !== 'true',
    );
    expect(named.filter(({ name }) => name === 'svg').length).toBeGreaterThan(25);
    for (const { attributes } of named) {
      for (const id of attributes['aria-labelledby'].split(' ')) {
        expect(tags.find((tag) => tag.attributes.id === id)?.text.trim().length, id).toBeGreaterThan(2);
      }
    }
    expect(tags.some(({ name }) => name === 'img')).toBe(false);
  });

  it('draws numbers only, of sizes that there are', () => {
    expect(page).not.toMatch(/NaN|Infinity|undefined|\[object/);
    for (const { attributes } of tags.filter(({ name }) => name === 'rect'))
      for (const key of ['x', 'y', 'width', 'height'])
        expect(Number(attributes[key])).toBeGreaterThanOrEqual(0);
  });

  it('gives every figure its command and its data, in rows as long as their head', () => {
    const links = tags.filter(({ attributes }) => attributes.href?.startsWith('data:text/csv'));
    expect(links.length).toBe(tags.filter(({ name }) => name === 'figure').length);
    for (const { attributes } of links) {
      const text = decodeURIComponent(attributes.href.replace(/^[^,]*,/, ''));
      const rows = text.trimEnd().split('\n');
      const cells = rows.map((row) => row.replace(/"(?:[^"]|"")*"/g, 'quoted').split(',').length);
      expect(rows.length, attributes.download).toBeGreaterThan(1);
      expect(new Set(cells).size, attributes.download).toBe(1);
    }
    const command = /<code>xitensor reproduce \w+ --quick --seed 3 --seeds 2 --data mnist,splice<\/code>/g;
    expect(page.replace(/<\/?span>/g, '').match(command)?.length).toBe(links.length);
  });

  it('needs nothing from outside, runs nothing, and has a dark form', () => {
    for (const { name, attributes } of tags) {
      expect(['script', 'iframe', 'object']).not.toContain(name);
      for (const address of [attributes.href, attributes.src]) expect(address ?? '#').toMatch(/^(#|data:)/);
    }
    expect(page).not.toMatch(/url\(|@import|https?:/);
    expect(page).toContain('prefers-color-scheme:dark');
  });

  /** What stands in the figure of this name. */
  const figure = (id: string, from = page) =>
    tagsOf(from).find(({ name, attributes }) => name === 'figure' && attributes.id === id)!.text;
  const csvOf = (id: string) => decodeURIComponent(/href="data:text\/csv[^,]*,([^"]*)"/.exec(figure(id))![1]);

  it('draws bounds where they are proven, and says where they are not', () => {
    for (const id of ['figure3', 'figure4']) {
      expect(figure(id)).toMatch(/class="bar c1".*class="steps c2"/s);
      expect(figure(id)).toContain('>lower bound on the width<');
      expect(figure(id)).toContain('>refined bound<');
    }
    const l2 = figure('figure5');
    expect(l2).not.toMatch(/steps|refined|lower bound/);
    expect(l2).toContain('>the paper’s formula, which is no bound for this ξ<');
    expect(l2).toContain('as the paper does');
    expect(page).toMatch(/Of l2\s+\(Figure 5\) it is not: .* depends on the tolerance/s);
    expect(page).toContain('worth a shallow one at least so wide');
  });

  it('leaves out the refined series that records of before have of an unproven ξ', () => {
    const studies = results.studies.map((study) => ({
      ...study,
      distributions: study.distributions.map((d) => ({ ...d, refined: d.paper })),
    }));
    expect(figure('figure5', renderReport({ ...results, studies }, ''))).not.toMatch(/steps|refined/);
  });

  it('has the number of networks, mean and median in every histogram', () => {
    const titles = [...figure('figure3').matchAll(/<text class="title"[^>]*>(.*?)</g)].map(
      ([, text]) => text,
    );
    expect(titles.length).toBe(4);
    for (const title of titles) expect(title).toMatch(/^R = \d, n = 3: mean [\d.]+, median \d+$/);
    expect(figure('figure3').match(/class="mean"/g)?.length).toBe(5);
    expect(figure('figure3').match(/class="median"/g)?.length).toBe(5);
  });

  it('draws what stands in legends as it draws marks', () => {
    for (const [id, kinds] of [
      ['spectra', ['line c1', 'line c2', 'line c3', 'line c4']],
      ['figure3', ['bar c1', 'steps c2', 'mean', 'median']],
      ['figure2', ['line c1', 'symbol c1']],
    ] as const) {
      const legend = /<ul class="legend".*?<\/ul>/s.exec(figure(id))![0];
      for (const kind of kinds) expect(legend).toContain(`class="${kind}"`);
    }
  });

  it('says whose spectra they are', () => {
    expect(figure('spectra')).toContain('of a network of median rank for each R');
    const studies = results.studies.map((study) => ({
      ...study,
      spectra: study.spectra.map((one) => ({ ...one, index: 0, rank: 10 * one.R })),
    }));
    expect(figure('spectra', renderReport({ ...results, studies }, ''))).toContain(
      'of one network for each R',
    );
  });

  it('states the samples that were used, and what uncertainty they leave', () => {
    expect(page).toContain(
      'MNIST (trained on 12,000 of 60,000, tested on 5,000 of 10,000 sequences, of 16 steps); Splice-junction DNA (3,186 sequences in 5 folds, each tested once, of 60 steps)',
    );
    expect(figure('table1')).toContain('trained on 12,000 of 60,000');
    expect(figure('folds-splice')).toContain('3,186 sequences in 5 folds');
    expect(csvOf('table1')).toMatch(
      /^dataset,.*,trained,tested,testAccuracy,seconds\n(mnist,.*,12000,5000,0.\d+,4\n)+$/,
    );
    expect(csvOf('folds-splice')).toMatch(/,0,3,2548,638,.*,1,3,2549,637,/s);
    expect(figure('table1')).toMatch(/uncertain by ± [\d.]+( to [\d.]+)? points/);
    expect(figure('table1')).toContain('A dash: not trained in a quick run.');
    const [first] = results.performance;
    const one = { ...results, settings: { ...SETTINGS, seeds: 1 }, performance: [first] };
    const report = renderReport(one, '');
    // Not that there were three of them, or none.
    expect(report).toContain('<dt>seed</dt><dd>3</dd>');
    const table = figure('table1', report);
    // 0.75 of 5000.
    expect(table.replaceAll('\u00a0', ' ')).toContain('<td>75.0 %<small>73.8 % – 76.2 %</small></td>');
    expect(table).toMatch(/One seed \(3\): .* is not known\. Below each accuracy stands its 95 % interval/);
  });

  it('has one vertical axis for a data set, and names the factor over the reference', () => {
    const plots = [...figure('curves').matchAll(/<svg class="plot".*?<\/svg>/gs)].map(([text]) => text);
    const axes = new Map<string, Set<string>>();
    for (const text of plots) {
      const set = /<title[^>]*>(.*?),/.exec(text)![1];
      const numbers =
        [...text.matchAll(/class="tick end"[^>]*>/g)].join() + text.match(/tick end[^>]*>[^<]*/g);
      axes.set(set, (axes.get(set) ?? new Set()).add(numbers));
    }
    expect(plots.length).toBeGreaterThan(8);
    for (const one of axes.values()) expect(one.size).toBe(1);
    expect(figure('backends')).toMatch(/<th scope="col">× reference<\/th>/);
    expect(figure('backends')).toContain('<td>1 ×</td>');
  });

  it('escapes what comes from records', () => {
    for (const text of [
      'A &lt;b&gt;fast&lt;/b&gt; &amp; &quot;odd&quot; one',
      'x &lt;─ y',
      'none &lt;here&gt;',
    ])
      expect(page).toContain(text);
  });

  it('says that it is quick, and what fails', () => {
    expect(page).toContain('This is a quick run');
    const full = renderReport({ ...results, settings: { ...SETTINGS, quick: false } }, '');
    expect(full).not.toContain('This is a quick run');
    expect(page).toContain('1 of 2 hold');
    const performance = results.performance.map((record) =>
      record.xi === 'l2' ? { ...record, history: [], diverged: true } : record,
    );
    expect(renderReport({ ...results, performance }, '')).toContain('<td>diverged</td>');
    expect(performanceCsv(performance)).not.toContain('l2');
  });

  it('depends on the results alone, but for the day', () => {
    expect(renderReport(someResults(), '2026-01-02')).toBe(page);
    expect(renderReport(results, '2026-01-03').replace('2026-01-03', '2026-01-02')).toBe(page);
  });

  it('leaves out what there are no results of', () => {
    const empty = renderReport({ settings: SETTINGS, performance: [], studies: [] }, 'a day');
    expect(tagsOf(empty).filter(({ name }) => name === 'section')).toEqual([]);
  });
});

it.each([
  ['min(M,R)^(T/2) (+ 1 if R < M)', 'min(M,R)<sup>T/2</sup> (+ 1 if R &lt; M)'],
  ['R_l = M^(2^l), r_t + 1', 'R<sub>l</sub> = M<sup>2<sup>l</sup></sup>, r<sub>t</sub> + 1'],
  ['rank M^⌊T/2⌋ ≤ M^T', 'rank M<sup>⌊T/2⌋</sup> ≤ M<sup>T</sup>'],
  ['snake_case', 'snake_case'],
])('formula of %s', (text, expected) => {
  expect(formula(text).text).toBe(expected);
});

it('html escapes all but markup, and data addresses keep every character', () => {
  const text = html`<p>${'<&"\''}${html`<b>${1}</b>`}${[null, false, 'x']}</p>`.text;
  expect(text).toBe('<p>&lt;&amp;&quot;&#39;<b>1</b>x</p>');
  const content = 'a,"b"\nü#%&';
  expect(decodeURIComponent(dataUrl('text/csv', content).replace(/^[^,]*,/, ''))).toBe(content);
});

it.each([
  [{ low: 0, high: 1 }, [0, 0.2, 0.4, 0.6, 0.8, 1]],
  [{ low: 0.4, high: 3.6, whole: true }, [1, 2, 3]],
  [{ low: 1e-18, high: 3, log: true }, [1e-16, 1e-12, 1e-8, 1e-4, 1]],
  [{ low: 15, high: 300, log: true }, [20, 50, 100, 200]],
])('ticks of %j', (axis, expected) => {
  expect(ticks({ label: '', ...axis }, 5)).toEqual(expected);
});
