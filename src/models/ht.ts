import type { Backend, ContractSizes, Storage } from '../backend/interface.ts';
import type { Shape } from '../core/tensor.ts';
import { balancedTree, isParent, type Parent, type TreeNode } from '../core/tree.ts';
import { dense, type InputRows, transposed } from '../features/features.ts';
import type { HtConfig } from './config.ts';
import { computeFeatures, featureLayout, propagateFeatures, stepOf } from './inputs.ts';
import type { Network } from './network.ts';
import type { Layout, ParameterBlock } from './parameters.ts';
import { Passes } from './passes.ts';
import { rateOfFeatures, rateOfFold, rateOfSum } from './rates.ts';

/** R_l for each level l; the root has one component an output. */
function widthsOf({ rank, outputs }: HtConfig): readonly number[] {
  return [...rank, outputs];
}

export const leafName = ({ shared }: Pick<HtConfig, 'shared'>, { place }: TreeNode) =>
  shared ? 'W' : `W.${place}`;
export const nodeName = ({ shared }: Pick<HtConfig, 'shared'>, { level, place }: TreeNode) =>
  shared ? `B.${level}` : `B.${level}.${place}`;

type Entry = readonly [name: string, shape: Shape];

/** Names and shapes of an HT network's parameters. */
export function htLayout(config: HtConfig): Layout {
  const { steps, features, diagonal } = config;
  const width = widthsOf(config);
  const { leaves, inner } = balancedTree(steps);
  const ends = leaves.map((leaf): Entry => [leafName(config, leaf), [width[0], features.size]]);
  const nodes = inner.map((node): Entry => {
    const [left, right] = node.children.map((child) => width[child.level]);
    const shape = diagonal ? [left, width[node.level]] : [left, right, width[node.level]];
    return [nodeName(config, node), shape];
  });
  return [...featureLayout(config), ...new Map([...ends, ...nodes])];
}

/** Memory of a pass over a batch on the way up. */
interface Forward {
  readonly F: Storage;
  /** States [B,R_l] of all nodes; those of the root are the scores. */
  readonly states: ReadonlyMap<TreeNode, Storage>;
  /** For each parent the states of both children, one behind the other. */
  readonly pairs: ReadonlyMap<TreeNode, Storage>;
  /** ξ of two children, for diagonal nodes. */
  readonly joined: Storage;
}

/** And on the way down. */
interface Backward {
  readonly dF: Storage;
  /** Gradients of two children, for each level of parents: while one subtree is visited, no other of its level is. */
  readonly pairs: readonly Storage[];
  readonly joined: Storage;
}

/** What one backward pass hands from node to node. */
interface Descent {
  readonly parameters: ParameterBlock;
  readonly gradients: ParameterBlock;
  readonly batch: number;
  readonly up: Forward;
  readonly down: Backward;
  /** Parameters that have a gradient already, to which other places where they are used add theirs. */
  readonly visited: Set<string>;
}

/**
 * The generalized convolutional network, a hierarchical Tucker decomposition whose multiplication is ξ, over a balanced
 * binary tree: leaves `W_t f(x_t)`, nodes `p[g] = Σ_ab B[a,b,g] ξ(left[a], right[b])`, diagonal ones
 * `p[g] = Σ_a B[a,g] ξ(left[a], right[a])`; the root holds the scores. With one step the leaf is the root.
 *
 * A pass costs 2·B·Σ R_left·R_right·R′ operations forward over the T − 1 nodes and twice that back (Cohen, Sharir &
 * Shashua 2016, section 3; Khrulkov, Hrinchuk & Oseledets 2019 for ξ).
 */
export class HtNetwork implements Network {
  readonly config: HtConfig;
  private readonly backend: Backend;
  private readonly leaves: readonly TreeNode[];
  private readonly parents: readonly Parent[];
  private readonly root: TreeNode;
  private readonly forwards: Passes<Forward>;
  private readonly backwards: Passes<Backward>;

  constructor(config: HtConfig, backend: Backend) {
    const { steps, features, outputs, rank, dtype, diagonal } = config;
    const { levels, leaves, inner, root } = balancedTree(steps);
    this.config = config;
    this.backend = backend;
    this.leaves = leaves;
    this.parents = inner;
    this.root = root;
    const widest = diagonal ? Math.max(0, ...rank) : 0;
    this.forwards = new Passes(backend, dtype, (batch, allocate) => {
      const states = new Map([[this.root, allocate(batch * outputs)]]);
      const pairs = new Map<TreeNode, Storage>();
      for (const node of this.parents) {
        const pair = allocate(batch * this.pairWidth(node));
        pairs.set(node, pair);
        this.split(pair, node, batch).forEach((state, side) => {
          states.set(node.children[side], state);
        });
      }
      return { F: allocate(batch * steps * features.size), states, pairs, joined: allocate(batch * widest) };
    });
    this.backwards = new Passes(backend, dtype, (batch, allocate) => ({
      dF: allocate(batch * steps * features.size),
      pairs: levels.map((_, level) => {
        const widths = this.parents.filter((node) => node.level === level).map(this.pairWidth);
        return allocate(batch * Math.max(0, ...widths));
      }),
      joined: allocate(batch * widest),
    }));
  }

  forward(parameters: ParameterBlock, x: InputRows, batch: number): Storage {
    const { backend, config } = this;
    const { F, states, pairs, joined } = this.forwards.of(batch);
    computeFeatures(backend, config, parameters, x, batch, F);
    for (const leaf of this.leaves) {
      const W = transposed(dense(parameters.part(leafName(config, leaf)), config.features.size));
      const R = this.width(leaf);
      const f = stepOf(F, config, leaf.place);
      backend.matmul(batch, R, config.features.size, f, W, dense(states.get(leaf)!, R), false);
    }
    for (const node of this.parents) {
      const sizes = this.sizes(node, batch);
      const core = parameters.part(nodeName(config, node));
      const out = states.get(node)!;
      if (config.diagonal) {
        const s = joined.at(0, batch * sizes.R);
        backend.fold(config.xi, 2, s.length, pairs.get(node)!, s);
        backend.matmul(
          batch,
          sizes.K,
          sizes.R,
          dense(s, sizes.R),
          dense(core, sizes.K),
          dense(out, sizes.K),
          false,
        );
      } else {
        const [left, right] = node.children.map((child) => states.get(child)!);
        backend.contract(config.xi, sizes, left, right, core, out);
      }
    }
    return states.get(this.root)!;
  }

  backward(
    parameters: ParameterBlock,
    x: InputRows,
    batch: number,
    dScores: Storage,
    gradients: ParameterBlock,
    dx?: Storage,
  ): void {
    const up = this.forwards.of(batch);
    const down = this.backwards.of(batch);
    this.descend(this.root, dScores, { parameters, gradients, batch, up, down, visited: new Set() });
    propagateFeatures(this.backend, this.config, parameters, gradients, x, batch, up.F, down.dF, dx);
  }

  rateScale(name: string, shape: Shape): number {
    const { xi, diagonal, steps, shared } = this.config;
    if (name.startsWith('features')) return rateOfFeatures(name, xi, steps);
    const leaf = name.startsWith('W');
    // A full node of an additive ξ is a weighted sum, whose weights start at order one together.
    const fold = diagonal || xi === 'product' ? rateOfFold(xi, steps, shared && leaf) : 1;
    if (leaf) return fold;
    return fold * rateOfSum(diagonal ? shape[0] : shape[0] * shape[1]);
  }

  private descend(node: TreeNode, dout: Storage, pass: Descent): void {
    if (isParent(node)) this.descendNode(node, dout, pass);
    else this.descendLeaf(node, dout, pass);
  }

  private descendLeaf(
    leaf: TreeNode,
    dout: Storage,
    { parameters, gradients, batch, up, down, visited }: Descent,
  ): void {
    const { backend, config } = this;
    const name = leafName(config, leaf);
    const M = config.features.size;
    const R = this.width(leaf);
    const [W, dW] = [parameters, gradients].map((block) => dense(block.part(name), M));
    const [f, df] = [up.F, down.dF].map((data) => stepOf(data, config, leaf.place));
    backend.matmul(R, M, batch, transposed(dense(dout, R)), f, dW, visited.has(name));
    backend.matmul(batch, M, R, dense(dout, R), W, df, false);
    visited.add(name);
  }

  private descendNode(node: Parent, dout: Storage, pass: Descent): void {
    const { backend, config } = this;
    const { parameters, gradients, batch, up, down, visited } = pass;
    const name = nodeName(config, node);
    const sizes = this.sizes(node, batch);
    const [core, dCore] = [parameters, gradients].map((block) => block.part(name));
    const dPair = down.pairs[node.level].at(0, batch * this.pairWidth(node));
    const [dLeft, dRight] = this.split(dPair, node, batch);
    if (config.diagonal) {
      const { R, K } = sizes;
      const pair = up.pairs.get(node)!;
      const [s, ds] = [up.joined, down.joined].map((storage) => storage.at(0, batch * R));
      backend.fold(config.xi, 2, s.length, pair, s);
      backend.matmul(
        R,
        K,
        batch,
        transposed(dense(s, R)),
        dense(dout, K),
        dense(dCore, K),
        visited.has(name),
      );
      backend.matmul(batch, R, K, dense(dout, K), transposed(dense(core, K)), dense(ds, R), false);
      backend.foldGradient(config.xi, 2, s.length, pair, ds, dPair);
    } else {
      const [a, h] = node.children.map((child) => up.states.get(child)!);
      const to = { da: dLeft, dh: dRight, dG: dCore };
      backend.contractGradient(config.xi, sizes, { a, h, G: core, dout }, to, visited.has(name));
    }
    visited.add(name);
    this.descend(node.children[0], dLeft, pass);
    this.descend(node.children[1], dRight, pass);
  }

  private readonly width = ({ level }: TreeNode): number => widthsOf(this.config)[level];

  private readonly pairWidth = ({ children: [left, right] }: Parent): number =>
    this.width(left) + this.width(right);

  /** The left and the right part of what {@link pairWidth} measures. */
  private split(pair: Storage, { children: [left] }: Parent, batch: number): [left: Storage, right: Storage] {
    const length = batch * this.width(left);
    return [pair.at(0, length), pair.at(length)];
  }

  private sizes(node: Parent, batch: number): ContractSizes {
    const [L, R] = node.children.map(this.width);
    return { B: batch, L, R, K: this.width(node) };
  }
}
