import { type Bar, barsChart, percent, statesChart } from './charts.ts';
import { draw, element } from './dom.ts';
import type { Reply, Request } from './messages.ts';
import { Pad } from './pad.ts';

type Read = Extract<Reply, { type: 'digit' }>;

const PIXELS = 28 * 28;

/** How long an answer must stand before it is read out: a stroke has one for each of its segments. */
const SETTLED_MS = 500;

/** The second section: a digit is drawn, scored, and its hidden states shown. */
export class DigitView {
  private readonly pad: Pad;
  private readonly send: (request: Request) => void;
  private id = 0;
  private samples: Promise<Uint8Array> | undefined;
  private next = 0;
  private settling: ReturnType<typeof setTimeout> | undefined;

  constructor(send: (request: Request) => void) {
    this.send = send;
    this.pad = new Pad(element<HTMLCanvasElement>('pad'), (pixels) => this.changed(pixels));
    element('clear').addEventListener('click', () => this.pad.clear());
    element('sample').addEventListener('click', () => {
      this.sample().catch((cause) => this.failed((cause as Error).message));
    });
    this.empty();
  }

  receive({ id, scores, states }: Read): void {
    if (id !== this.id) return;
    const top = Math.max(...scores);
    const weights = Array.from(scores, (score) => Math.exp(score - top));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const parts = weights.map((weight) => weight / total);
    const best = parts.indexOf(Math.max(...parts));
    this.say(`It reads ${best}, with ${percent(parts[best]).replace('> ', 'more than ')}.`);
    draw('states', (width) => statesChart(width, states));
    this.bars(
      `Probabilities: ${parts.map((part, n) => `${n} ${percent(part)}`).join(', ')}`,
      parts.map((value, n) => ({ name: String(n), value, shown: value < 0.0005 ? '' : percent(value) })),
    );
  }

  failed(message: string): void {
    this.say(message);
  }

  private say(message: string): void {
    element('answer').textContent = message;
    clearTimeout(this.settling);
    this.settling = setTimeout(() => {
      element('answer-settled').textContent = message;
    }, SETTLED_MS);
  }

  private changed(pixels: Float32Array | null): void {
    this.id++;
    if (pixels) this.send({ type: 'digit', id: this.id, pixels });
    else this.empty();
  }

  private empty(): void {
    this.say('Draw a digit.');
    this.bars(
      'No digit yet',
      Array.from({ length: 10 }, (_, n) => ({ name: String(n), value: 0, shown: '' })),
    );
    const nothing = Array.from({ length: 15 }, () => new Float32Array(16));
    draw('states', (width) => statesChart(width, nothing));
  }

  private bars(label: string, bars: Bar[]): void {
    draw('scores', (width) => barsChart(width, label, bars, { names: 22, values: 60 }));
  }

  private async sample(): Promise<void> {
    this.samples ??= fetchSamples().catch((cause) => {
      this.samples = undefined;
      throw cause;
    });
    const bytes = await this.samples;
    const at = (this.next++ * PIXELS) % bytes.length;
    this.pad.show(Float32Array.from(bytes.subarray(at, at + PIXELS), (value) => value / 255));
  }
}

async function fetchSamples(): Promise<Uint8Array> {
  const response = await fetch(new URL('../model/samples.bin', import.meta.url)).catch(() => undefined);
  const bytes = response?.ok ? new Uint8Array(await response.arrayBuffer()) : undefined;
  if (!bytes?.length || bytes.length % PIXELS > 0) throw new Error('The test images cannot be fetched.');
  return bytes;
}
