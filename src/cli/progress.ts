import { clearLine, cursorTo } from 'node:readline';
import { SingleBar } from 'cli-progress';
import type { StepReport } from '../train/options.ts';
import { percent } from './options.ts';

/** Shows how far a training is: a bar with loss, accuracy and time left on a terminal, a line an epoch elsewhere. */
export interface ProgressView {
  step(report: StepReport): void;
  /** Prints a line that stays. */
  line(text: string): void;
  stop(): void;
}

const SILENT: ProgressView = { step() {}, line() {}, stop() {} };

export function progressView(steps: number, done: number, quiet: boolean): ProgressView {
  if (quiet) return SILENT;
  const { stderr } = process;
  if (!stderr.isTTY) {
    return { ...SILENT, line: (text) => void process.stdout.write(`${text}\n`) };
  }
  const bar = new SingleBar({
    format: '{bar} {percentage}% · epoch {epoch} · loss {loss} · accuracy {accuracy} · {eta_formatted} left',
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 24,
    hideCursor: true,
    fps: 8,
    etaBuffer: 100,
    stream: stderr,
  });
  bar.start(steps, done, { epoch: '…', loss: '…', accuracy: '…' });
  return {
    step: ({ step, epoch, loss, accuracy }) =>
      bar.update(step, { epoch, loss: loss.toFixed(4), accuracy: percent(accuracy) }),
    line: (text) => {
      clearLine(stderr, 0);
      cursorTo(stderr, 0);
      process.stdout.write(`${text}\n`);
    },
    stop: () => bar.stop(),
  };
}
