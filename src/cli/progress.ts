import { clearLine, cursorTo } from 'node:readline';
import { SingleBar } from 'cli-progress';
import { duration } from '../report/words.ts';
import type { StepReport } from '../train/options.ts';
import { percent } from './options.ts';

/** Shows how far a training is: a bar with loss, accuracy (of classes) and time left on a terminal, a line an epoch elsewhere. */
export interface ProgressView {
  step(report: StepReport): void;
  /** Prints a line that stays. */
  line(text: string): void;
  stop(): void;
}

const BAR = {
  barCompleteChar: '█',
  barIncompleteChar: '░',
  barsize: 24,
  hideCursor: true,
  fps: 8,
  etaBuffer: 100,
};

const SILENT: ProgressView = { step() {}, line() {}, stop() {} };

export function progressView(steps: number, done: number, quiet: boolean): ProgressView {
  if (quiet) return SILENT;
  const { stderr } = process;
  if (!stderr.isTTY) {
    return { ...SILENT, line: (text) => void process.stdout.write(`${text}\n`) };
  }
  const bar = new SingleBar({
    ...BAR,
    format: '{bar} {percentage}% · epoch {epoch} · loss {loss}{accuracy} · {eta_formatted} left',
    stream: stderr,
  });
  bar.start(steps, done, { epoch: '…', loss: '…', accuracy: '' });
  return {
    step: ({ step, epoch, loss, accuracy }) => {
      const part = Number.isNaN(accuracy) ? '' : ` · accuracy ${percent(accuracy)}`;
      bar.update(step, { epoch, loss: loss.toFixed(4), accuracy: part });
    },
    line: (text) => {
      clearLine(stderr, 0);
      cursorTo(stderr, 0);
      process.stdout.write(`${text}\n`);
    },
    stop: () => bar.stop(),
  };
}

/** A count of things done, with the time left, on a terminal; nothing elsewhere. */
export interface CountView {
  update(done: number): void;
  stop(): void;
}

export function countView(what: string, total: number, done: number, quiet: boolean): CountView {
  const { stderr } = process;
  if (quiet || !stderr.isTTY) return { update() {}, stop() {} };
  const bar = new SingleBar({
    ...BAR,
    format: `{bar} {percentage}% · {value} of {total} ${what} · {eta_formatted} left`,
    stream: stderr,
  });
  bar.start(total, done);
  return { update: (count) => bar.update(count), stop: () => bar.stop() };
}

/** How much of some work of unequal parts is done, which part is running, and how long the rest may take. */
export interface WorkView {
  /** `left`: seconds, where that is known. */
  update(done: number, what: string, left?: number): void;
  /** Prints a line that stays. */
  line(text: string): void;
  stop(): void;
}

export function workView(total: number, quiet: boolean): WorkView {
  if (quiet) return { update() {}, line() {}, stop() {} };
  const { stderr } = process;
  if (!stderr.isTTY)
    return { update() {}, line: (text) => void process.stdout.write(`${text}\n`), stop() {} };
  const format = '{bar} {percentage}%{left} · {what}';
  const bar = new SingleBar({ ...BAR, format, stream: stderr });
  bar.start(total, 0, { what: '…', left: '' });
  return {
    update: (done, what, left) =>
      bar.update(done, { what, left: left === undefined ? '' : ` · ${duration(left)} left` }),
    line: (text) => {
      clearLine(stderr, 0);
      cursorTo(stderr, 0);
      process.stdout.write(`${text}\n`);
    },
    stop: () => bar.stop(),
  };
}
