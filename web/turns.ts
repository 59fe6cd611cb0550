/** Times of one way to compute, in milliseconds a call. */
export interface Times {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** An odd number, so that there is one in the middle. */
const TURNS = 9;
/** Clocks of pages step by 0.1 ms where the page is not isolated: half a percent of a turn. */
const TURN_MS = 20;

/**
 * Times some ways to compute the same. They take turns, so that what else the machine does meets all of them; a turn has as many
 * calls as last for 20 ms. The warm-up, whose calls compile, decides that number and nothing else.
 */
export function timeInTurns(
  runs: readonly (() => void)[],
  now: () => number = () => performance.now(),
): Times[] {
  const clock = (run: () => void, calls: number) => {
    const start = now();
    for (let n = 0; n < calls; n++) run();
    return now() - start;
  };
  const calls = runs.map((run) => callsFor(run, clock));
  const times = runs.map((): number[] => []);
  for (let turn = 0; turn < TURNS; turn++) {
    runs.forEach((run, n) => {
      times[n].push(clock(run, calls[n]) / calls[n]);
    });
  }
  return times.map((all) => {
    const sorted = [...all].sort((a, b) => a - b);
    return { median: sorted[TURNS >> 1], least: sorted[0], most: sorted[TURNS - 1] };
  });
}

/** Calls that last for a turn: twice as many until they do. */
function callsFor(run: () => void, clock: (run: () => void, calls: number) => number): number {
  run();
  for (let calls = 1; ; calls *= 2) {
    const took = clock(run, calls);
    if (took >= TURN_MS) return Math.max(1, Math.ceil((calls * TURN_MS) / took));
  }
}
