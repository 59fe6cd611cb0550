import { integer, mismatch, oneOf, XiError } from '../core/errors.ts';
import { byName, type TensorsByName } from '../core/named.ts';
import type { Tensor } from '../core/tensor.ts';
import { balancedTree } from '../core/tree.ts';
import { type CP, cpParts } from './cp.ts';
import { type HierarchicalTucker, htRanks, partsOf } from './ht.ts';
import { coresOf, type TensorTrain, ttRanks } from './tt.ts';

/** The formats that a tensor can be decomposed into. */
export const FORMATS = ['tt', 'ht', 'cp'] as const;
/** Tensor train, hierarchical Tucker, or a sum of rank-one terms. */
export type DecompositionFormat = (typeof FORMATS)[number];

/** A tensor in one of the formats, and which it is. */
export interface InFormat<Format extends DecompositionFormat, Value> {
  /** The format of `value`. */
  readonly format: Format;
  /** The parts of the tensor. */
  readonly value: Value;
}

/** A decomposition with its format, as files hold it. */
export type Decomposition =
  | InFormat<'tt', TensorTrain>
  | InFormat<'ht', HierarchicalTucker>
  | InFormat<'cp', CP>;

/** What {@link namedParts} returns: what a safetensors file is written from. */
export interface NamedParts {
  /** By name. */
  readonly tensors: Map<string, Tensor>;
  /** The format, the shape, the ranks and what else was given. */
  readonly metadata: Record<string, string>;
}

/** What a file says of its parts, under the key `decomposition` of its metadata. */
const VERSION = 1;
const BIGGEST_ORDER = 2 ** 20;

/** Ranks: r_0, …, r_T of a train; lists of the levels, leaves first, of a hierarchical tensor; R of CP. */
export function ranksOf({ format, value }: Decomposition): number[] | number[][] | number {
  if (format === 'tt') return ttRanks(value);
  return format === 'ht' ? htRanks(value) : cpParts('ranks', value).weights.length;
}

/** The extents of the tensor. */
function shapeOf({ format, value }: Decomposition): number[] {
  if (format === 'tt') return value.cores.map(({ shape }) => shape[1]);
  return (format === 'ht' ? value.leaves : value.factors).map(({ shape }) => shape[0]);
}

/** A relative error, or a bound on it, which may exceed 1. */
const isError = (value: unknown): boolean =>
  typeof value === 'number' && value >= 0 && Number.isFinite(value);

export function partsIn({ format, value }: Decomposition): readonly Tensor[] {
  if (format === 'tt') return coresOf('decomposition', value);
  if (format === 'cp') return [value.weights, ...value.factors];
  return [...value.leaves, ...value.transfers];
}

/**
 * The parts of a decomposition under the names that a file has: `G.t` [r_{t−1}, n_t, r_t] (TT); `U.t` [n_t, r_t] and
 * `B.level.node` [r_left, r_right, r] with levels from 1 (HT); `weights` [R] and `U.t` [n_t, R] (CP); and the metadata of that file.
 */
export function namedParts(
  decomposition: Decomposition,
  extra: Readonly<Record<string, unknown>> = {},
): NamedParts {
  if (typeof decomposition !== 'object' || decomposition === null)
    throw mismatch('E_ARGUMENT', 'namedParts', 'a decomposition { format, value }', decomposition);
  const { format, value } = decomposition;
  oneOf('namedParts format', format, FORMATS);
  if (typeof extra !== 'object' || extra === null)
    throw mismatch('E_ARGUMENT', 'namedParts extra', 'an object', extra);
  if (format === 'tt') coresOf('namedParts', value);
  else if (format === 'ht') partsOf('namedParts', value);
  else cpParts('namedParts', value);
  const numbered = (letter: string, parts: readonly Tensor[]) =>
    parts.map((part, t) => [`${letter}.${t}`, part] as const);
  const order =
    format === 'tt' ? value.cores.length : format === 'ht' ? value.leaves.length : value.factors.length;
  const { error } = extra;
  if (error !== undefined && !isError(error))
    throw mismatch('E_ARGUMENT', 'namedParts extra error', 'a non-negative number', error);
  const shape = shapeOf(decomposition);
  const own = { version: VERSION, format, order, shape, ranks: ranksOf(decomposition) };
  const record = { ...own, ...extra, ...own };
  const metadata = { format: 'xitensor', decomposition: written(record) };
  if (format === 'tt') return { tensors: new Map(numbered('G', value.cores)), metadata };
  if (format === 'cp') {
    return { tensors: new Map([['weights', value.weights], ...numbered('U', value.factors)]), metadata };
  }
  const { tree } = partsOf('namedParts', value);
  const names = tree.inner.map(({ level, place }) => `B.${level}.${place}`);
  const transfers = names.map((name, n) => [name, value.transfers[n]] as const);
  return { tensors: new Map([...numbered('U', value.leaves), ...transfers]), metadata };
}

/** @throws XiError E_ARGUMENT for what JSON does not have. */
function written(record: object): string {
  try {
    return JSON.stringify(record);
  } catch (cause) {
    throw new XiError('E_ARGUMENT', 'namedParts extra: expected plain values, as JSON has, received others', {
      cause,
    });
  }
}

/**
 * The decomposition that {@link namedParts} named.
 *
 * @throws XiError E_FILE if the metadata are not of a decomposition, a part is missing or foreign, or order, shape and ranks are not those that
 * the metadata say, or the error there is none; E_SHAPE, E_DTYPE or E_NUMERIC if parts contradict each other.
 */
export function fromNamedParts(
  where: string,
  named: TensorsByName,
  metadata: Readonly<Record<string, string>>,
): Decomposition {
  if (typeof where !== 'string' || where === '')
    throw mismatch('E_ARGUMENT', 'fromNamedParts', 'a name for messages', where);
  const tensors = byName(where, named);
  if (typeof metadata !== 'object' || metadata === null)
    throw mismatch('E_ARGUMENT', `${where} metadata`, 'an object of strings', metadata);
  const said = descriptionOf(where, metadata);
  const foreign = new Set(tensors.keys());
  const part = (name: string): Tensor => {
    const found = tensors.get(name);
    if (!found) throw mismatch('E_FILE', where, `a tensor '${name}'`, [...tensors.keys()]);
    foreign.delete(name);
    return found;
  };
  const numbered = (letter: string) => {
    const count = [...tensors.keys()].filter((name) => new RegExp(`^${letter}\\.\\d+$`).test(name)).length;
    return Array.from({ length: said.order ?? count }, (_, t) => part(`${letter}.${t}`));
  };
  const found = partsOfFormat(where, said.format, part, numbered);
  if (foreign.size > 0)
    throw mismatch('E_FILE', where, `no tensors but those of a ${said.format}`, [...foreign]);
  const agree = (what: string, own: unknown, its: unknown): void => {
    const [wanted, received] = [own, its].map((value) => JSON.stringify(value));
    if (wanted !== received)
      throw mismatch('E_FILE', `${where} ${what}`, `${wanted}, which its tensors have`, received);
  };
  agree('ranks', ranksOf(found), said.ranks);
  if (said.shape !== undefined) agree('shape', shapeOf(found), said.shape);
  if (said.error !== undefined && !isError(said.error))
    throw mismatch('E_FILE', `${where} error`, 'a non-negative number', said.error);
  return found;
}

function partsOfFormat(
  where: string,
  format: DecompositionFormat,
  part: (name: string) => Tensor,
  numbered: (letter: string) => Tensor[],
): Decomposition {
  if (format === 'tt') {
    const value = { cores: numbered('G') };
    coresOf(where, value);
    return { format, value };
  }
  if (format === 'cp') {
    const value = { weights: part('weights'), factors: numbered('U') };
    cpParts(where, value);
    return { format, value };
  }
  const leaves = numbered('U');
  const { inner } = balancedTree(Math.max(1, leaves.length));
  const value = { leaves, transfers: inner.map(({ level, place }) => part(`B.${level}.${place}`)) };
  partsOf(where, value);
  return { format, value };
}

/** What a file says of itself. */
interface Description {
  readonly format: DecompositionFormat;
  /** T; files of before it was written may have the shape. */
  readonly order: number | undefined;
  readonly ranks: unknown;
  /** The extents, of which files of before may not tell. */
  readonly shape: unknown;
  /** Of what was decomposed, if the file tells. */
  readonly error: unknown;
}

function descriptionOf(where: string, metadata: Readonly<Record<string, string>>): Description {
  const text = Object.hasOwn(metadata, 'decomposition') ? metadata.decomposition : undefined;
  if (text === undefined)
    throw mismatch('E_FILE', where, "a description under the key 'decomposition'", 'none');
  try {
    const record = JSON.parse(text) as Readonly<Record<string, unknown>> | null;
    if (record?.version !== VERSION) throw mismatch('E_FILE', where, `version ${VERSION}`, record?.version);
    const format = oneOf(`${where} format`, record.format as DecompositionFormat, FORMATS);
    const { ranks, shape, error } = record;
    const rest = { ranks, shape, error };
    const order = record.order ?? (Array.isArray(shape) ? shape.length : undefined);
    if (order === undefined) return { format, order, ...rest };
    return { format, order: integer(`${where} order`, order, 1, BIGGEST_ORDER), ...rest };
  } catch (cause) {
    if (cause instanceof XiError && cause.code === 'E_FILE') throw cause;
    throw new XiError('E_FILE', `${where}: its description is not that of a decomposition`, { cause });
  }
}
