import { XI_NAMES, type Xi } from '../src/core/xi.gen.ts';
import type { ModelKind } from '../src/models/config.ts';

/** What random networks are drawn: the state of the page, which its address holds. */
export interface Choice {
  readonly xi: Xi;
  readonly kind: ModelKind;
  /** Templates, and features. */
  readonly M: number;
  /** Steps. */
  readonly T: number;
  readonly R: number;
  readonly shared: boolean;
  readonly networks: number;
  readonly seed: number;
}

export const STANDARD: Choice = {
  ...{ xi: 'rectifier', kind: 'tt', M: 6, T: 6, R: 2, shared: false, networks: 300, seed: 1 },
};

const KINDS = ['tt', 'ht', 'cp'] as const satisfies readonly ModelKind[];
const LIMITS = { M: [2, 16], T: [2, 12], R: [1, 32], networks: [1, 5000], seed: [0, 999_999_999] } as const;

/** Entries of a grid that a page computes in less than about a second. */
export const MOST_ENTRIES = 2 ** 18;

/** Why a choice is too much for a page; '' if it is not. */
export function tooLarge({ M, T }: Choice): string {
  if (M ** T <= MOST_ENTRIES) return '';
  const entries = (M ** T).toLocaleString('en');
  return `${M} templates over ${T} steps make a tensor of ${entries} entries; this page takes up to ${MOST_ENTRIES.toLocaleString('en')}. Choose fewer.`;
}

/** The choice in the hash of an address; what is missing or makes no sense becomes the standard. */
export function readHash(hash: string): Choice {
  const given = new URLSearchParams(hash.replace(/^#/, ''));
  const one = <T extends string>(name: string, of: readonly T[], standard: T): T =>
    of.find((value) => value === given.get(name)) ?? standard;
  const whole = (name: keyof typeof LIMITS): number => {
    const value = Number(given.get(name) ?? Number.NaN);
    const [low, high] = LIMITS[name];
    return Number.isInteger(value) && value >= low && value <= high ? value : STANDARD[name];
  };
  return {
    xi: one('xi', XI_NAMES, STANDARD.xi),
    kind: one('kind', KINDS, STANDARD.kind),
    ...{ M: whole('M'), T: whole('T'), R: whole('R'), networks: whole('networks'), seed: whole('seed') },
    shared: given.get('shared') === 'true',
  };
}

export function writeHash(choice: Choice): string {
  return `#${new URLSearchParams(Object.entries(choice).map(([name, value]): [string, string] => [name, String(value)]))}`;
}
