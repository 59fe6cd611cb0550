import { integer } from '../core/errors.ts';
import { checkMemory } from '../core/memory.ts';
import type { RankStudy } from './rank_config.ts';
import { RankCounts, type RankDistribution, type RankRecord, type RankTask } from './ranks.ts';

/** Above every rank: grids have 2²⁸ entries at most, so that the smaller side of a matricization has 2¹⁴. */
const MOST_RANK = 2 ** 16 - 2;

/**
 * What a study needs of its records while they come in: two bytes a network, which are no objects, so that ten million networks do
 * not fill the heap.
 */
export class RankTally {
  readonly study: RankStudy;
  private readonly counts: RankCounts;
  /** Of each R the rank of every network and 1, or 0 where it is not known. */
  private readonly known: ReadonlyMap<number, Uint16Array>;
  private size = 0;

  /** @throws XiError E_MEMORY for a study of too many networks. */
  constructor(study: RankStudy) {
    const { ranks, networks } = study;
    const bytes = 2 * ranks.length * networks;
    checkMemory('rank study', `${networks} networks of each of ${ranks.length} ranks`, bytes);
    this.study = study;
    this.counts = new RankCounts(study);
    this.known = new Map(ranks.map((R) => [R, new Uint16Array(networks)]));
  }

  /** Number of networks whose records are known, and of all. */
  get done(): number {
    return this.size;
  }

  get total(): number {
    return this.study.ranks.length * this.study.networks;
  }

  /** Whether the study asks for a network. */
  asks({ R, index }: RankTask): boolean {
    return index < this.study.networks && this.known.has(R);
  }

  has({ R, index }: RankTask): boolean {
    return this.asks({ R, index }) && this.known.get(R)![index] !== 0;
  }

  /** Takes the record of a network that the study asks for, once. */
  add(record: RankRecord): void {
    const rank = integer('record rank', record.rank, 0, MOST_RANK);
    this.counts.add(record);
    this.known.get(record.R)![record.index] = rank + 1;
    this.size++;
  }

  distributions(figure: string | null): RankDistribution[] {
    return this.counts.distributions(figure);
  }

  /** Number of the network of median rank among those of rank R; of an even number the lower of the two, of equal ones the first. */
  medianNetwork(R: number): number {
    const known = this.known.get(R)!;
    const among = known.filter((value) => value > 0).sort();
    const place = (among.length - 1) >> 1;
    const before = place - among.indexOf(among[place]);
    let equal = 0;
    return known.findIndex((value) => value === among[place] && equal++ === before);
  }
}
