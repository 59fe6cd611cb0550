import { mismatch } from '../core/errors.ts';
import type { FloatArray, Tensor } from '../core/tensor.ts';
import { balancedTree } from '../core/tree.ts';
import type { Xi } from '../core/xi.gen.ts';
import { leafName, nodeName } from '../models/ht.ts';
import type { Model } from '../models/model.ts';
import { coreName } from '../models/tt.ts';

/** A step of the network: `a[m,l] = Σ_f projection[l,f] F[m,f]` for every template m that is shown at this mode. */
export interface Leaf {
  readonly mode: number;
  /** L. */
  readonly width: number;
  /** [L, M]. */
  readonly projection: FloatArray;
}

/** How two children are joined: all pairs of components, equal components only, or equal components without weights. */
export type Core =
  /** `out[k] = Σ_ij G[i,j,k] ξ(minor[i], major[j])`, [L,R,K]. */
  | { readonly form: 'full'; readonly values: FloatArray }
  /** `out[k] = Σ_r D[r,k] ξ(minor[r], major[r])`, [R,K]. */
  | { readonly form: 'diagonal'; readonly values: FloatArray }
  /** `out[r] = ξ(minor[r], major[r])`. */
  | { readonly form: 'none' };

/** What joins the grid of its earlier modes with that of its later ones: `out[p,m,:]` from `major[p,:]` and `minor[m,:]`. */
export interface Join {
  /** The earlier modes; null stands for the unit u in each component, with which a fold or a recurrence begins. */
  readonly major: Node | null;
  readonly minor: Node;
  readonly core: Core;
  /** Components of the major child. */
  readonly R: number;
  /** K. */
  readonly width: number;
}

export type Node = Leaf | Join;

/** A network as a tree of joins over its modes in order, whatever its kind; the root has one component an output. */
export interface JoinTree {
  readonly xi: Xi;
  readonly root: Node;
  readonly modes: number;
}

export const isLeaf = (node: Node): node is Leaf => 'mode' in node;

/** All nodes, children before parents. */
export function nodesOf(node: Node): Node[] {
  if (isLeaf(node)) return [node];
  return [...(node.major ? nodesOf(node.major) : []), ...nodesOf(node.minor), node];
}

/**
 * The tree of a model: a caterpillar for CP (diagonal) and TT (full), balanced for HT. Every ξ is commutative, so that which
 * child is the first operand does not matter; the later modes are the minor child. `output` leaves one score of all.
 */
export function joinTree(model: Model, output: number | 'all' = 'all'): JoinTree {
  const { kind, xi, steps } = model.config;
  const { parameters } = model;
  const part = (name: string): Tensor => {
    const found = parameters[name];
    if (!found) throw mismatch('E_ARGUMENT', `a model of kind ${kind}`, `a parameter ${name}`, 'none');
    return found;
  };
  const root = ROOTS[kind](model, part);
  return { xi, modes: steps, root: output === 'all' ? root : withOutput(root, output) };
}

/** The root with one of its components, which is cheaper than all of them. */
function withOutput(root: Node, output: number): Node {
  if (isLeaf(root)) {
    const M = root.projection.length / root.width;
    return { ...root, width: 1, projection: root.projection.subarray(output * M, (output + 1) * M) };
  }
  const { core, width } = root;
  if (core.form === 'none') return root;
  const values = core.values.filter((_, n) => n % width === output);
  return { ...root, core: { ...core, values }, width: 1 };
}

type Part = (name: string) => Tensor;

const leafOf = (mode: number, { shape, data }: Tensor): Leaf => ({ mode, width: shape[0], projection: data });

const ROOTS = { cp: shallowRoot, tt: trainRoot, ht: treeRoot };

function shallowRoot({ config }: Model, part: Part): Node {
  const { steps, shared, outputs } = config;
  const v = part('v');
  const [R, M] = v.shape.slice(-2);
  const leaf = (t: number): Leaf => {
    const start = shared ? 0 : t * R * M;
    return { mode: t, width: R, projection: v.data.subarray(start, start + R * M) };
  };
  const core = (t: number): Core =>
    t === steps - 1 ? { form: 'diagonal', values: part('lambda').data } : { form: 'none' };
  let node: Node | null = null;
  for (let t = 0; t < steps; t++) {
    node = { major: node, minor: leaf(t), core: core(t), R, width: t === steps - 1 ? outputs : R };
  }
  return node!;
}

function trainRoot({ config }: Model, part: Part): Node {
  let node: Node | null = null;
  for (let t = 0; t < config.steps; t++) {
    const name = coreName(config, t);
    const G = part(`G.${name}`);
    const core = { form: 'full', values: G.data } as const;
    node = { major: node, minor: leafOf(t, part(`C.${name}`)), core, R: G.shape[1], width: G.shape[2] };
  }
  return node!;
}

function treeRoot({ config }: Model, part: Part): Node {
  const [leaves, ...levels] = balancedTree(config.steps).levels;
  let below: Node[] = leaves.map((leaf) => leafOf(leaf.place, part(leafName(config, leaf))));
  for (const nodes of levels) {
    below = nodes.map((node, place) => {
      const [major, minor] = [below[2 * place], below[2 * place + 1]];
      if (minor === undefined) return major;
      const B = part(nodeName(config, node));
      const width = B.shape[B.shape.length - 1];
      const core: Core =
        B.shape.length === 2
          ? { form: 'diagonal', values: B.data }
          : { form: 'full', values: swapped(B.data, B.shape) };
      return { major, minor, core, R: major.width, width };
    });
  }
  return below[0];
}

/** B [a,b,k] as [b,a,k]: the right child of a node is the minor one. */
function swapped(data: FloatArray, [A, B, K]: readonly number[]): FloatArray {
  const out = data.slice();
  for (let a = 0; a < A; a++) {
    for (let b = 0; b < B; b++) {
      out.set(data.subarray((a * B + b) * K, (a * B + b + 1) * K), (b * A + a) * K);
    }
  }
  return out;
}
