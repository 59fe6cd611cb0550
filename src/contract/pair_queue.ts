/** Two nodes that may be joined. */
export interface Pair {
  readonly a: number;
  readonly b: number;
  readonly score: number;
  /** Which of equal scores comes first. */
  readonly rank: number;
}

/**
 * The pair with the least score of which both nodes are alive: a binary heap, in which pairs of nodes that are gone stay
 * until they come up.
 */
export class PairQueue {
  private readonly heap: Pair[] = [];
  private readonly isAlive: (node: number) => boolean;

  constructor(isAlive: (node: number) => boolean) {
    this.isAlive = isAlive;
  }

  add(pair: Pair): void {
    const { heap } = this;
    let at = heap.push(pair) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!precedes(pair, heap[parent])) break;
      heap[at] = heap[parent];
      at = parent;
    }
    heap[at] = pair;
  }

  least(): Pair | undefined {
    const { heap } = this;
    while (heap.length > 0 && !(this.isAlive(heap[0].a) && this.isAlive(heap[0].b))) this.removeLeast();
    return heap[0];
  }

  /** {@link least}, which is no longer in the queue then. */
  take(): Pair | undefined {
    const pair = this.least();
    if (pair) this.removeLeast();
    return pair;
  }

  private removeLeast(): void {
    const { heap } = this;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    let at = 0;
    for (let child = 1; child < heap.length; child = 2 * at + 1) {
      if (child + 1 < heap.length && precedes(heap[child + 1], heap[child])) child++;
      if (!precedes(heap[child], last)) break;
      heap[at] = heap[child];
      at = child;
    }
    heap[at] = last;
  }
}

const precedes = (p: Pair, q: Pair): boolean => p.score < q.score || (p.score === q.score && p.rank < q.rank);
