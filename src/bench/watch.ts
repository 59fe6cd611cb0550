import type { Backend } from '../backend/interface.ts';
import { allocate } from '../core/tensor.ts';
import { time } from './timer.ts';

/**
 * A product takes this many times as long as in calm moments when another tenant of the machine works on the same core. In
 * moments that are calm by this, C2 of 20 ms had quartiles 3 % apart, and 40 % in all (Emerald Rapids, two virtual cores).
 */
const DISTURBED = 1.18;
/** The share of readings that are taken for calm ones, so that neither luck nor a bad hour sets the level. */
const CALM = 0.05;
const KEPT = 4000;
/** So many readings, with pauses between them, before the level is believed. */
const FIRST = 100;
/** Milliseconds of a reading, and between two. */
const READING = 1;
const PAUSE = 20;

/**
 * Tells the calm moments of a core from those in which another tenant of the machine takes a part of its caches and of what
 * loads from them: by a product whose panels fill the first-level cache. Multiply-adds on registers show nothing of that.
 */
export class Watch {
  readonly #read: () => number | Promise<number>;
  readonly #pause: () => Promise<unknown>;
  #readings: number[] = [];

  /** @param read the milliseconds of the same small work on the core that is watched */
  constructor(read: () => number | Promise<number>, pauseMs = PAUSE) {
    this.#read = read;
    this.#pause = () => new Promise((resolve) => setTimeout(resolve, pauseMs));
  }

  /** Whether this is a calm moment. */
  async calm(): Promise<boolean> {
    for (; this.#readings.length < FIRST; await this.#pause()) this.#readings.push(await this.#read());
    const ms = await this.#read();
    this.#readings = [...this.#readings, ms].slice(-KEPT);
    const sorted = Float64Array.from(this.#readings).sort();
    return ms <= DISTURBED * sorted[Math.floor(CALM * sorted.length)];
  }

  /** Resolves in a calm moment, or when there was none for so many milliseconds. */
  async wait(patienceMs: number): Promise<void> {
    let calm = await this.calm();
    const end = performance.now() + patienceMs;
    while (!calm && performance.now() < end) {
      await this.#pause();
      calm = await this.calm();
    }
  }
}

/** 256 terms and 32 columns: one panel of float32 in the first-level cache; rows for each thread of their own. */
const SIZES = { L: 16, R: 16, K: 32 };
const ROWS = 56;
const SHARED_ROWS = 1120;

/** Watches the cores that a backend computes on. */
export function watchOf(backend: Backend): Watch {
  const { L, R, K } = SIZES;
  const B = backend.threads === 1 ? ROWS : SHARED_ROWS * backend.threads;
  const filled = (count: number) => {
    const storage = backend.allocate('float32', count);
    storage.write(allocate('float32', count).fill(0.5));
    return storage;
  };
  const [a, h, out] = [filled(B * L), filled(B * R), backend.allocate('float32', B * K)];
  const packed = backend.packWeights(L, R, K, filled(L * R * K));
  const calls = (count: number) =>
    time(() => {
      for (let n = 0; n < count; n++) backend.contractPacked('product', B, a, h, packed, out);
    });
  calls(10);
  const count = Math.max(1, Math.round((20 * READING) / calls(20)));
  return new Watch(() => calls(count));
}
