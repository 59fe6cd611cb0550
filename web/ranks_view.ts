import { XI, XI_NAMES, type Xi } from '../src/core/xi.gen.ts';
import { medianOf } from '../src/report/bins.ts';
import { type Bin, histogramChart, spectrumChart } from './charts.ts';
import { type Choice, readHash, tooLarge, writeHash } from './choice.ts';
import { draw, element } from './dom.ts';
import type { Reply, Request } from './messages.ts';
import { boundOf, largestRank } from './study.ts';

type Progress = Extract<Reply, { type: 'drawn' }>;

/** The first section: draws random networks and shows their ranks while they come. */
export class RanksView {
  private readonly form = element<HTMLFormElement>('choice');
  private readonly send: (request: Request) => void;
  private readonly counts = new Map<number, number>();
  private choice: Choice;
  private id = 0;
  private latest: Progress | undefined;
  private frame = 0;

  constructor(send: (request: Request) => void) {
    this.send = send;
    const xi = this.field('xi') as unknown as HTMLSelectElement;
    xi.append(...XI_NAMES.map((name) => new Option(`${name}: ${XI[name].formula}`, name)));
    this.choice = readHash(location.hash);
    this.fill();
    this.form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.start();
    });
    this.form.addEventListener('change', () => this.form.checkValidity() && this.start());
    // Both checkValidity() and the button send it, to the field: it does not bubble.
    this.form.addEventListener('invalid', () => this.refuse(), true);
    element('stop').addEventListener('click', () => this.stop());
    addEventListener('hashchange', () => {
      if (location.hash === writeHash(this.choice)) return;
      this.choice = readHash(location.hash);
      this.fill();
      this.start();
    });
  }

  get xi(): Xi {
    return this.choice.xi;
  }

  /** Draws what the form says, in place of what is being drawn. */
  start(): void {
    this.choice = this.read();
    history.replaceState(null, '', writeHash(this.choice));
    const problem = tooLarge(this.choice);
    this.problem(problem);
    this.clear();
    if (problem) return;
    element('ranks-results').hidden = false;
    element<HTMLButtonElement>('stop').disabled = false;
    this.send({ type: 'study', id: ++this.id, choice: this.choice });
  }

  /** Ends what is being drawn, of which all so far stays on show. */
  stop(): void {
    this.send({ type: 'stop' });
    this.ended();
  }

  /** Says why nothing more comes. */
  failed(message: string): void {
    this.problem(message);
    this.ended();
  }

  /** Says what is wrong with the form, in place of results of before. */
  private refuse(): void {
    const wrong = [...this.form.elements].find(
      (field): field is HTMLInputElement => field instanceof HTMLInputElement && !field.validity.valid,
    );
    if (!wrong) return;
    this.clear();
    const name = wrong.labels?.[0]?.textContent?.trim() ?? wrong.name;
    this.problem(`${name}: ${wrong.validationMessage}`);
  }

  /** Ends what is being drawn and shows none of it. */
  private clear(): void {
    this.send({ type: 'stop' });
    this.id++;
    this.counts.clear();
    this.latest = undefined;
    element('ranks-summary').textContent = '';
    element('ranks-results').hidden = true;
    element<HTMLProgressElement>('ranks-progress').value = 0;
    this.ended();
  }

  receive(progress: Progress): void {
    if (progress.id !== this.id) return;
    for (const rank of progress.ranks) this.counts.set(rank, (this.counts.get(rank) ?? 0) + 1);
    this.latest = progress;
    this.frame ||= requestAnimationFrame(() => this.show());
  }

  private problem(message: string): void {
    element('ranks-problem').textContent = message;
    element('ranks-problem').hidden = message === '';
  }

  private ended(): void {
    const stop = element<HTMLButtonElement>('stop');
    // What is disabled loses the focus.
    if (document.activeElement === stop) element('draw').focus();
    stop.disabled = true;
  }

  private field(name: string): HTMLInputElement {
    return this.form.elements.namedItem(name) as HTMLInputElement;
  }

  private fill(): void {
    const { shared, ...values } = this.choice;
    for (const [name, value] of Object.entries(values)) this.field(name).value = String(value);
    this.field('shared').checked = shared;
  }

  /** What the form says, checked as an address is. */
  private read(): Choice {
    const fields = new FormData(this.form);
    fields.set('shared', String(this.field('shared').checked));
    return readHash(
      new URLSearchParams([...fields].map(([name, value]) => [name, String(value)])).toString(),
    );
  }

  private show(): void {
    this.frame = 0;
    if (!this.latest) return;
    const { done, last } = this.latest;
    const { networks, xi } = this.choice;
    const bins: Bin[] = [...this.counts].sort(([a], [b]) => a - b);
    const largest = largestRank(this.choice);
    element<HTMLProgressElement>('ranks-progress').value = done / networks;
    if (performance.getEntriesByName('first-result').length === 0) performance.mark('first-result');
    draw('histogram', (width) => histogramChart(width, bins, largest));
    draw('spectrum', (width) => spectrumChart(width, last.spectrum, last.tolerance, last.rank));
    const median = medianOf(bins);
    const figures = [
      ['Networks drawn', `${done} of ${networks}`],
      ['Median rank', `${median} of ${largest}`],
      ...this.bounds(median, bins[bins.length - 1][0]),
    ];
    element('ranks-figures').innerHTML = figures
      .map(([name, value]) => `<div><dt>${name}</dt><dd>${value}</dd></div>`)
      .join('');
    element('ranks-note').textContent =
      XI[xi].bound === 'none'
        ? 'For this ξ no bound on the width is known: a single term of a shallow network already has full rank generically.'
        : '';
    element<HTMLTableElement>('ranks-table').tBodies[0].innerHTML = bins
      .map(([rank, count]) => `<tr><td>${rank}</td><td>${count}</td></tr>`)
      .join('');
    if (done < networks) return;
    this.ended();
    element('ranks-summary').textContent =
      `${done} networks drawn. Their median rank is ${median}, of ${largest} at most.`;
  }

  /** What the ranks say of shallow networks: of the median, and of the largest found. */
  private bounds(median: number, most: number): [string, string][] {
    const [middle, top] = [median, most].map((rank) => boundOf(this.choice, rank));
    if (middle.impossible) return [['A shallow network in its place', 'none of any width']];
    const words = (of: 'paper' | 'refined') =>
      `≥\u00a0${middle[of]}<small>widest: ${top.impossible ? 'impossible' : `≥\u00a0${top[of]}`}</small>`;
    return [
      ['Shallow width, median network', words('refined')],
      ['As the paper bounds it', words('paper')],
    ];
  }
}
